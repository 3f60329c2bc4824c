//! Every format given the files of every other one, truncated anywhere and changed: no panic, and no endless work.

use plimsoll::workload::{FORMATS, TraceOptions, inspect};

use super::{End, Place, end_of};
use crate::findings::public_cases::samples;

/// Reads `bytes` as `format`, or as the recognised format.
fn read(place: &Place, bytes: &[u8], format: Option<&str>) -> End {
    let path = place.path("export");
    std::fs::write(&path, bytes).unwrap();
    let options = TraceOptions { format: format.map(str::to_string), ..TraceOptions::default() };
    end_of(|| inspect(&path, &options).map(drop).map_err(|error| error.to_string()))
}

fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    samples::ALL.iter().copied().chain(samples::ASKED.iter().map(|(format, text, _)| (*format, *text)))
}

#[test]
fn files_of_one_format_under_the_name_of_another() {
    let place = Place::new();
    for (own, text) in all() {
        for format in FORMATS {
            let end = read(&place, text.as_bytes(), Some(format.name));
            assert!(!matches!(end, End::Panicked), "{own} as {}", format.name);
        }
    }
}

#[test]
fn files_cut_off_or_with_a_piece_of_another() {
    let place = Place::new();
    let pieces: [&[u8]; 12] = [
        b"",
        b"\0",
        b"-1",
        b"9223372036854775807",
        b"1e308",
        b"nan",
        b"\"",
        b"\t\t",
        b"{",
        b"[[",
        b"</a>",
        b"\xff\xfe",
    ];
    for (format, text) in all() {
        let bytes = text.as_bytes();
        for at in (0..bytes.len()).step_by(bytes.len() / 12 + 1) {
            let piece = pieces[at % pieces.len()];
            for changed in [bytes[..at].to_vec(), [&bytes[..at], piece, &bytes[(at + 3).min(bytes.len())..]].concat()] {
                for name in [None, Some(format)] {
                    let end = read(&place, &changed, name);
                    assert!(!matches!(end, End::Panicked), "{format}: {:?}", String::from_utf8_lossy(&changed));
                }
            }
        }
    }
}
