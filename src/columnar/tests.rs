use std::fs::File;
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FixedLenByteArray, FixedLenByteArrayType, FloatType,
    Int32Type, Int64Type, Int96, Int96Type,
};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use rstest::rstest;

use super::*;

type Group<'a> = parquet::file::writer::SerializedRowGroupWriter<'a, File>;

fn put<T: DataType>(group: &mut Group<'_>, values: &[T::T], levels: Option<&[i16]>) {
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<T>().write_batch(values, levels, None).unwrap();
    column.close().unwrap();
}

/// A file with these columns, written by the library itself: one row group per call of `write`.
fn file(
    columns: &str,
    properties: WriterProperties,
    groups: usize,
    write: impl Fn(&mut Group<'_>, usize),
) -> tempfile::NamedTempFile {
    let place = tempfile::NamedTempFile::new().unwrap();
    let schema = Arc::new(parse_message_type(&format!("message m {{ {columns} }}")).unwrap());
    let mut writer = SerializedFileWriter::new(place.reopen().unwrap(), schema, Arc::new(properties)).unwrap();
    for number in 0..groups {
        let mut group = writer.next_row_group().unwrap();
        write(&mut group, number);
        group.close().unwrap();
    }
    writer.close().unwrap();
    place
}

fn plain() -> WriterProperties {
    WriterProperties::builder().build()
}

/// All values of a column as text.
fn read(place: &tempfile::NamedTempFile, most: usize) -> Result<Vec<Vec<Option<String>>>, TableError> {
    let mut table = TableFile::open(place.path())?;
    let all: Vec<usize> = (0..table.columns().len()).collect();
    let mut found = vec![Vec::new(); all.len()];
    table.want(all)?;
    while let Some(columns) = table.next(most)? {
        for (found, column) in found.iter_mut().zip(&columns) {
            found.extend((0..column.len()).map(|row| column.text(row)));
        }
    }
    Ok(found)
}

fn shown(rows: &[&str]) -> Vec<Option<String>> {
    rows.iter().map(|text| (*text != "-").then(|| text.to_string())).collect()
}

#[test]
fn whole_numbers_of_every_width() {
    let columns = "required int32 a (INTEGER(8,true)); required int32 b (INTEGER(32,false)); optional int64 c; \
                   optional int64 d (INTEGER(64,false)); required int32 e (UINT_16);";
    let place = file(columns, plain(), 1, |group, _| {
        put::<Int32Type>(group, &[-1, 2, 3], None);
        put::<Int32Type>(group, &[-1, 2, 3], None);
        put::<Int64Type>(group, &[i64::MIN, 7], Some(&[1, 0, 1]));
        put::<Int64Type>(group, &[-1, 5], Some(&[1, 1, 0]));
        put::<Int32Type>(group, &[65535, 0, 1], None);
    });
    let expected = [
        shown(&["-1", "2", "3"]),
        shown(&["4294967295", "2", "3"]),
        shown(&["-9223372036854775808", "-", "7"]),
        shown(&["-", "5", "-"]),
        shown(&["65535", "0", "1"]),
    ];
    assert_eq!(read(&place, 100).unwrap(), expected);
    assert_eq!(read(&place, 2).unwrap(), expected, "the same in slices");
}

#[test]
fn times_of_every_unit_with_and_without_a_zone() {
    let columns = "required int64 a (TIMESTAMP(MILLIS,true)); required int64 b (TIMESTAMP(MICROS,false)); \
                   required int64 c (TIMESTAMP(NANOS,true)); required int64 d (TIMESTAMP_MILLIS); \
                   required int64 e (TIMESTAMP_MICROS); required int32 f (DATE); required int96 g;";
    let place = file(columns, plain(), 1, |group, _| {
        (0..5).for_each(|_| put::<Int64Type>(group, &[1_700_000_000_000], None));
        put::<Int32Type>(group, &[19_675], None);
        let mut stamp = Int96::new();
        // 2023-11-14T22:13:20Z: 80,000 s into Julian day 2,460,263.
        let nanos = 80_000_000_000_000_u64;
        stamp.set_data(nanos as u32, (nanos >> 32) as u32, 2_460_263);
        put::<Int96Type>(group, &[stamp], None);
    });
    let table = TableFile::open(place.path()).unwrap();
    let kinds: Vec<Kind> = table.columns().iter().map(|column| column.kind).collect();
    let [millis, micros, nanos] = [1_000_000, 1_000, 1].map(Kind::Timestamp);
    assert_eq!(kinds, [millis, micros, nanos, millis, micros, Kind::Date, nanos]);
    assert_eq!(read(&place, 10).unwrap()[6], shown(&["1700000000000000000"]));
}

#[test]
fn texts_numbers_and_booleans_over_row_groups() {
    let columns =
        "optional binary a (STRING); required float b; required double c; optional boolean d; required binary e;";
    let text = |words: &[&str]| words.iter().map(|word| ByteArray::from(*word)).collect::<Vec<_>>();
    let place = file(columns, plain(), 3, |group, number| {
        put::<ByteArrayType>(group, &text(&["x", "", "x"]), Some(&[1, 1, 0, 1]));
        put::<FloatType>(group, &[1.5, 2.5, 3.5, number as f32], None);
        put::<DoubleType>(group, &[0.1, f64::INFINITY, -2.0, 1e300], None);
        put::<BoolType>(group, &[true, false], Some(&[1, 0, 0, 1]));
        put::<ByteArrayType>(group, &[vec![0xff, 0xfe].into(), "b".into(), "c".into(), "d".into()], None);
    });
    for most in [3, 1000] {
        let found = read(&place, most).unwrap();
        assert_eq!(found[0], shown(&["x", "", "-", "x"].repeat(3)));
        assert_eq!(found[1].iter().flatten().cloned().collect::<String>(), "1.52.53.501.52.53.511.52.53.52");
        assert_eq!(found[2][..2], shown(&["0.1", "inf"]));
        assert_eq!(found[3], shown(&["true", "-", "-", "false"].repeat(3)));
        assert_eq!(found[4], shown(&["-", "b", "c", "d"].repeat(3)));
    }
}

#[rstest]
#[case(Compression::UNCOMPRESSED)]
#[case(Compression::SNAPPY)]
#[case(Compression::GZIP(Default::default()))]
#[case(Compression::LZ4)]
#[case(Compression::LZ4_RAW)]
#[case(Compression::ZSTD(Default::default()))]
fn every_packing(#[case] packing: Compression) {
    let properties = WriterProperties::builder().set_compression(packing).build();
    let place = file("required int64 a;", properties, 1, |group, _| {
        put::<Int64Type>(group, &(0..10_000).collect::<Vec<_>>(), None);
    });
    let expected: Vec<Option<String>> = (0..10_000).map(|row| Some(row.to_string())).collect();
    assert_eq!(read(&place, 999).unwrap()[0], expected);
}

#[test]
fn unsupported_columns_are_named() {
    let columns = "required int64 a (DECIMAL(18,6)); required int32 b (TIME(MILLIS,true)); \
                   required group c (LIST) { repeated group list { optional int64 element; } } required int64 d; \
                   required fixed_len_byte_array(16) e;";
    let place = file(columns, plain(), 1, |group, _| {
        put::<Int64Type>(group, &[1], None);
        put::<Int32Type>(group, &[1], None);
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<Int64Type>().write_batch(&[1, 2], Some(&[2, 2]), Some(&[0, 1])).unwrap();
        column.close().unwrap();
        put::<Int64Type>(group, &[42], None);
        put::<FixedLenByteArrayType>(group, &[FixedLenByteArray::from(vec![7; 16])], None);
    });
    let refusal = |column: usize| TableFile::open(place.path()).unwrap().want(vec![column]).unwrap_err().to_string();
    assert_eq!(refusal(0), "column `a` is a decimal, which is not read");
    assert_eq!(refusal(1), "column `b` is a time of day without a date, which is not read");
    assert_eq!(refusal(2), "column `c` is nested (a list, a map or a struct), which is not read");
    assert_eq!(refusal(4), "column `e` is bytes of a fixed length, which is not read");
    // Columns after a list are still found.
    let mut table = TableFile::open(place.path()).unwrap();
    table.want(vec![3]).unwrap();
    assert_eq!(table.next(10).unwrap().unwrap()[0].text(0).as_deref(), Some("42"));
}

#[test]
fn written_and_read_back_the_same_bytes_each_time() {
    let rows = 100;
    let columns = || {
        vec![
            ("whole", Cells::Whole((0..rows as i64).map(|row| row - 3).collect())),
            ("count", Cells::Count((0..rows as u64).collect())),
            ("small", Cells::Small(vec![u32::MAX; rows])),
            ("real", Cells::Real(vec![0.25; rows])),
            ("maybe", Cells::MaybeReal((0..rows).map(|row| (row % 3 > 0).then_some(row as f64)).collect())),
            ("text", Cells::MaybeText((0..rows).map(|row| (row % 2 == 0).then(|| format!("t{}", row % 7))).collect())),
        ]
    };
    let bytes = table_bytes(columns()).unwrap();
    assert_eq!(bytes, table_bytes(columns()).unwrap());
    let place = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(place.path(), &bytes).unwrap();
    let found = read(&place, 7).unwrap();
    let last: Vec<Option<&str>> = found.iter().map(|column| column[rows - 1].as_deref()).collect();
    assert_eq!(last, [Some("96"), Some("99"), Some("4294967295"), Some("0.25"), None, None]);
    assert!(found.iter().all(|column| column.len() == rows));
    assert_eq!(found[4].iter().filter(|value| value.is_none()).count(), 34);
    assert_eq!(found[5][98].as_deref(), Some("t0"));
}

#[test]
fn row_groups_have_a_fixed_size() {
    let bytes = table_bytes(vec![("small", Cells::Small(vec![7; GROUP_ROWS + 5]))]).unwrap();
    let place = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(place.path(), &bytes).unwrap();
    let mut table = TableFile::open(place.path()).unwrap();
    table.want(vec![0]).unwrap();
    let sizes: Vec<usize> =
        std::iter::from_fn(|| table.next(usize::MAX).unwrap()).map(|columns| columns[0].len()).collect();
    assert_eq!(sizes, [GROUP_ROWS, 5]);
}

#[test]
fn columns_of_different_lengths_are_refused() {
    let error = table_bytes(vec![("a", Cells::Whole(vec![1, 2])), ("b", Cells::Real(vec![1.0]))]).unwrap_err();
    assert_eq!(error.to_string(), "columns of different lengths");
    assert!(table_bytes(vec![("a", Cells::Whole(Vec::new()))]).is_ok());
}

/// A small file with footer, levels, dictionary and pages that can be damaged.
fn small(packing: Compression) -> Vec<u8> {
    let properties = WriterProperties::builder().set_compression(packing).build();
    let columns =
        "required int64 t (TIMESTAMP(MICROS,true)); optional int32 n; optional binary s (STRING); optional boolean b;";
    let place = file(columns, properties, 2, |group, _| {
        put::<Int64Type>(group, &[10, 20, 30, 40], None);
        put::<Int32Type>(group, &[1, 2], Some(&[1, 0, 1, 0]));
        put::<ByteArrayType>(group, &["a".into(), "b".into(), "a".into()], Some(&[1, 1, 1, 0]));
        put::<BoolType>(group, &[true], Some(&[0, 0, 0, 1]));
    });
    std::fs::read(place.path()).unwrap()
}

/// Whatever byte of a file is changed, at most the reading of that file fails.
#[rstest]
#[case(Compression::UNCOMPRESSED)]
#[case(Compression::SNAPPY)]
fn damage_is_an_error_or_other_values(#[case] packing: Compression) {
    let sound = small(packing);
    let place = tempfile::NamedTempFile::new().unwrap();
    let (mut refused, mut read_all) = (0, 0);
    for at in 0..sound.len() {
        let mut bytes = sound.clone();
        bytes[at] ^= [0x01, 0x80, 0xff, 0x10][at % 4];
        std::fs::write(place.path(), &bytes).unwrap();
        match read(&place, 3) {
            Ok(found) => read_all += usize::from(found.len() <= 8),
            Err(error) => refused += usize::from(!error.to_string().is_empty()),
        }
    }
    assert!(!is_decoding());
    assert_eq!(refused + read_all, sound.len());
    assert!(refused > sound.len() / 6, "{refused} of {} were noticed", sound.len());
}

#[test]
fn a_file_cut_short_is_refused_wherever_it_is_cut() {
    let sound = small(Compression::SNAPPY);
    let place = tempfile::NamedTempFile::new().unwrap();
    for length in 0..sound.len() {
        std::fs::write(place.path(), &sound[..length]).unwrap();
        assert!(matches!(read(&place, 3), Err(TableError::Damaged(_))), "{length}");
    }
}

#[test]
fn a_panic_of_the_decoder_is_an_error_and_known_to_be_one() {
    let result = guard::guarded(|| -> Result<(), TableError> {
        assert!(is_decoding());
        // An out-of-range slice, as caused by a damaged length.
        let empty: &[u8] = &[];
        Err(TableError::Io(empty[std::hint::black_box(1)].to_string()))
    });
    assert_eq!(result, Err(TableError::Damaged("its pages cannot be decoded".into())));
    assert!(!is_decoding());
}
