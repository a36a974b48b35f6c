//! Files of boxes and of EBML, and what lies behind a picture.
#![no_main]

#[path = "../../../service/src/redaction/find/mod.rs"]
#[allow(dead_code, unused_imports)]
mod find;
#[path = "../property.rs"]
mod property;

libfuzzer_sys::fuzz_target!(|data: &[u8]| property::check(data));
