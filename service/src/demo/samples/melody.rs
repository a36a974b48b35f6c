//! A short tune as samples of 16 bits.

use std::f32::consts::TAU;

/// Semitones above A3, and beats. Five tones that go well in any order, so that nobody has to have written it.
const TUNE: [(i32, f32); 16] = [
    (3, 1.0),
    (5, 0.5),
    (7, 0.5),
    (10, 1.0),
    (7, 1.0),
    (12, 1.0),
    (10, 0.5),
    (7, 0.5),
    (5, 1.0),
    (7, 1.0),
    (3, 0.5),
    (5, 0.5),
    (0, 1.0),
    (3, 1.0),
    (5, 1.0),
    (3, 2.0),
];

const SECONDS_PER_BEAT: f32 = 0.4;

/// The tune, shifted by `semitones`, at `rate` samples a second.
pub(super) fn samples(rate: u32, semitones: i32) -> Vec<i16> {
    let mut all = Vec::new();
    for (tone, beats) in TUNE {
        let frequency = 220.0 * 2_f32.powf((tone + semitones) as f32 / 12.0);
        let length = (beats * SECONDS_PER_BEAT * rate as f32) as usize;
        all.extend((0..length).map(|index| {
            let time = index as f32 / rate as f32;
            let wave = (time * frequency * TAU).sin() + 0.3 * (time * frequency * 2.0 * TAU).sin();
            // Struck like a bell: a short attack, then fading.
            let loudness = (time * 200.0).min(1.0) * (-3.0 * time).exp();
            (wave * loudness * 11_000.0) as i16
        }));
    }
    all
}
