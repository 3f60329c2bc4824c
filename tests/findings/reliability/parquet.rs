//! Damaged or unsupported Parquet: one sentence about the file, and no "internal error" before it.

use std::fs::{self, File};
use std::sync::Arc;

use parquet::data_type::{ByteArrayType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use crate::findings::trial::Trial;

/// A file with one time column of this type and two rows.
fn times(trial: &Trial, name: &str, column: &str) {
    let schema = Arc::new(parse_message_type(&format!("message m {{ {column} }}")).unwrap());
    let properties = Arc::new(WriterProperties::builder().build());
    let mut writer = SerializedFileWriter::new(File::create(trial.path(name)).unwrap(), schema, properties).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut number = 0;
    while let Some(mut column) = group.next_column().unwrap() {
        let levels: &[i16] = if number == 0 && name != "map" { &[1, 1] } else { &[2, 2] };
        if number == 1 {
            column
                .typed::<ByteArrayType>()
                .write_batch(&["a".into(), "b".into()], Some(levels), Some(&[0, 0]))
                .unwrap();
        } else {
            let repeats: Option<&[i16]> = (name == "map").then_some(&[0, 0]);
            let levels: &[i16] = if name == "map" { &[1, 1] } else { levels };
            column.typed::<Int64Type>().write_batch(&[1_700_000_000, 1_700_000_060], Some(levels), repeats).unwrap();
        }
        column.close().unwrap();
        number += 1;
    }
    group.close().unwrap();
    writer.close().unwrap();
}

#[test]
fn unsupported_valid_columns_are_named() {
    let trial = Trial::new(&[]);
    times(&trial, "decimal", "optional int64 t (DECIMAL(18,6));");
    let shown = trial.expect("trace inspect decimal --time t", 2);
    assert!(shown.contains("column `t` is a decimal, which is not read"), "{shown}");
    assert!(shown.contains("(write it as whole numbers"), "{shown}");
    let map =
        "required group t (MAP) { repeated group key_value { required int64 key; optional binary value (STRING); } }";
    times(&trial, "map", map);
    let shown = trial.expect("trace inspect map --time t", 2);
    assert!(shown.contains("column `t` is nested (a list, a map or a struct), which is not read"), "{shown}");
    times(&trial, "sound", "optional int64 t;");
    trial.expect("trace inspect sound --time t", 0);
}

/// Places where a decoder panicked: lengths and flags of the footer, bits of the missing values, page offsets.
#[test]
fn damage_is_reported_as_such() {
    let trial = Trial::new(&[]);
    times(&trial, "sound", "optional int64 t;");
    let sound = fs::read(trial.path("sound")).unwrap();
    let footer = sound.len() - 8 - u32::from_le_bytes(sound[sound.len() - 8..][..4].try_into().unwrap()) as usize;
    // Every part of the file is changed in a few ways; a file that is still a valid trace may be accepted.
    let places = (4..sound.len()).step_by(sound.len() / 20).chain([footer, footer + 1, footer + 7, sound.len() - 8]);
    for (number, at) in places.enumerate() {
        let mut bytes = sound.clone();
        bytes[at] ^= [0xff, 0x7f, 0x80, 0x0f][number % 4];
        fs::write(trial.path("damaged"), bytes).unwrap();
        let output = trial.run("trace inspect damaged --time t");
        let shown = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(matches!(output.status.code(), Some(0 | 2)), "byte {at}: {shown}");
        assert!(!shown.contains("internal error") && !shown.contains("panicked"), "byte {at}: {shown}");
        assert!(output.status.success() || shown.contains("damaged"), "byte {at}: {shown}");
    }
}
