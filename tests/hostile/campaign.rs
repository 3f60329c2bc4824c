//! Valid files changed at random. Run it with `cargo test --locked --release --test main -- --ignored --nocapture
//! hostile::campaign`; `HOSTILE_CASES` sets the number of files of each kind.

use std::time::{Duration, Instant};

use super::{End, Place, Reader, end_of, sound};

/// SplitMix64 (Steele, Lea and Flood 2014).
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, most: usize) -> usize {
        (self.next() % most.max(1) as u64) as usize
    }
}

/// Replacement texts.
const WORDS: [&str; 28] = [
    "0",
    "-1",
    "1",
    "4294967295",
    "4294967296",
    "18446744073709551615",
    "1e308",
    "-1e308",
    "nan",
    "inf",
    "1ns",
    "99999d",
    "~",
    "[]",
    "{}",
    "''",
    "*a",
    "&a",
    "!!x",
    "\0",
    "\u{feff}",
    "\u{202e}",
    "\u{1b}[2J",
    "../../x",
    "%",
    "\n",
    "\t",
    "'",
];

/// One to four changes: a bit flip, a piece removed or duplicated, a number or word replaced, two lines exchanged.
fn changed(sound: &[u8], draw: &mut Draw) -> Vec<u8> {
    let mut bytes = sound.to_vec();
    for _ in 0..1 + draw.below(4) {
        let (at, length) = (draw.below(bytes.len()), 1 + draw.below(12));
        let end = (at + length).min(bytes.len());
        match draw.below(7) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << draw.below(8),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            3 => drop(bytes.splice(at..end, WORDS[draw.below(WORDS.len())].bytes())),
            4 => {
                // An integer or word.
                let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b".-_".contains(byte);
                let start = bytes[..at].iter().rposition(|byte| !is_part(byte)).map_or(0, |place| place + 1);
                let end = bytes[at..].iter().position(|byte| !is_part(byte)).map_or(bytes.len(), |place| at + place);
                bytes.splice(start..end.max(start), WORDS[draw.below(WORDS.len())].bytes());
            }
            5 => {
                let mut lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
                let (a, b) = (draw.below(lines.len()), draw.below(lines.len()));
                if !lines.is_empty() {
                    lines.swap(a, b);
                }
                bytes = lines.concat();
            }
            _ => bytes.truncate(at),
        }
    }
    bytes
}

/// Compressed or checksummed files are also changed inside, with the checksum recomputed.
fn repacked(reader: Reader, sound: &[u8], draw: &mut Draw) -> Vec<u8> {
    use sha2::{Digest, Sha256};
    use std::io::{Read, Write};
    let sum = |bytes: &[u8]| Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    match reader {
        Reader::StoredResult if draw.below(2) == 0 => {
            let mut text = Vec::new();
            flate2::read::GzDecoder::new(sound).read_to_end(&mut text).unwrap();
            let end = text.iter().position(|byte| *byte == b'\n').unwrap();
            let (header, body) = (String::from_utf8(text[..end].to_vec()).unwrap(), &text[end + 1..text.len() - 1]);
            let changed = changed(body, draw);
            let header = header.replace(&sum(body), &sum(&changed));
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(&[header.as_bytes(), b"\n", &changed, b"\n"].concat()).unwrap();
            encoder.finish().unwrap()
        }
        Reader::TrainedPolicy if draw.below(2) == 0 => {
            let text = String::from_utf8(sound.to_vec()).unwrap();
            let (before, learned) = text.trim_end().split_once(",\"learned\":").unwrap();
            let learned = learned.strip_suffix('}').unwrap();
            let changed = changed(learned.as_bytes(), draw);
            let before = before.replace(&sum(learned.as_bytes()), &sum(&changed));
            [before.as_bytes(), b",\"learned\":", &changed, b"}\n"].concat()
        }
        _ => changed(sound, draw),
    }
}

/// A number of changed files of each kind: the panics, those that took longer than ten seconds, and the number of
/// rejected ones.
fn campaign(each: usize, seed: u64) -> Vec<String> {
    let place = Place::new();
    let mut wrong = Vec::new();
    for reader in Reader::ALL {
        let (path, sound) = (place.path(reader.file()), sound::bytes(reader));
        let (mut draw, mut refused, mut longest) = (Draw(seed ^ reader as u64), 0, Duration::ZERO);
        let started = Instant::now();
        for case in 0..each {
            let bytes = repacked(reader, &sound, &mut draw);
            std::fs::write(&path, &bytes).unwrap();
            let begun = Instant::now();
            match end_of(|| reader.read(&path)) {
                End::Panicked => {
                    wrong.push(format!("{reader:?} {case} (seed {seed}): {:?}", String::from_utf8_lossy(&bytes)))
                }
                End::Refused(words) if words.is_empty() => {
                    wrong.push(format!("{reader:?} {case}: refused without a word"))
                }
                End::Refused(_) => refused += 1,
                End::Accepted => {}
            }
            longest = longest.max(begun.elapsed());
            if begun.elapsed() > Duration::from_secs(10) {
                wrong.push(format!("{reader:?} {case} (seed {seed}) took {:?}", begun.elapsed()));
            }
        }
        std::fs::write(&path, &sound).unwrap();
        eprintln!("{reader:?}: {each} files, {refused} refused, {:.1?}, the longest {longest:.1?}", started.elapsed());
    }
    wrong
}

#[test]
fn a_short_campaign() {
    let wrong = campaign(120, 1);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
#[ignore = "takes minutes"]
fn a_long_campaign() {
    let number = |name: &str, usual: u64| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual);
    let wrong = campaign(number("HOSTILE_CASES", 5_000) as usize, number("HOSTILE_SEED", 2));
    assert!(wrong.is_empty(), "{} findings:\n{:.4000}", wrong.len(), wrong.join("\n"));
}
