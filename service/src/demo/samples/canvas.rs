//! A picture in memory: rectangles, discs and capital letters, enough to tell one sample from another.

/// A colour: red, green, blue.
pub(super) type Rgb = [u8; 3];

/// Letters are 3 x 5 cells; each octal digit is a row, its highest bit the left cell.
const GLYPHS: [(char, u32); 40] = [
    ('A', 0o25755),
    ('B', 0o65656),
    ('C', 0o34443),
    ('D', 0o65556),
    ('E', 0o74647),
    ('F', 0o74644),
    ('G', 0o34553),
    ('H', 0o55755),
    ('I', 0o72227),
    ('J', 0o11152),
    ('K', 0o55655),
    ('L', 0o44447),
    ('M', 0o57755),
    ('N', 0o65555),
    ('O', 0o25552),
    ('P', 0o65644),
    ('Q', 0o25573),
    ('R', 0o65655),
    ('S', 0o34216),
    ('T', 0o72222),
    ('U', 0o55557),
    ('V', 0o55552),
    ('W', 0o55775),
    ('X', 0o55255),
    ('Y', 0o55222),
    ('Z', 0o71247),
    ('0', 0o75557),
    ('1', 0o26227),
    ('2', 0o61247),
    ('3', 0o61216),
    ('4', 0o55711),
    ('5', 0o74616),
    ('6', 0o34757),
    ('7', 0o71222),
    ('8', 0o75757),
    ('9', 0o75716),
    ('.', 0o00002),
    (':', 0o02020),
    ('-', 0o00700),
    ('/', 0o11244),
];

/// An RGB picture.
#[derive(Clone)]
pub(super) struct Canvas {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Rows from the top, three bytes a pixel.
    pub(super) rgb: Vec<u8>,
}

impl Canvas {
    /// A picture of one colour.
    pub(super) fn new(width: usize, height: usize, colour: Rgb) -> Canvas {
        Canvas { width, height, rgb: colour.repeat(width * height) }
    }

    /// Paints one pixel; outside the picture nothing happens.
    pub(super) fn set(&mut self, x: usize, y: usize, colour: Rgb) {
        if x < self.width && y < self.height {
            let at = (y * self.width + x) * 3;
            self.rgb[at..at + 3].copy_from_slice(&colour);
        }
    }

    /// Paints a rectangle.
    pub(super) fn rectangle(&mut self, x: usize, y: usize, width: usize, height: usize, colour: Rgb) {
        for row in y..(y + height).min(self.height) {
            for column in x..(x + width).min(self.width) {
                self.set(column, row, colour);
            }
        }
    }

    /// Paints a disc.
    pub(super) fn disc(&mut self, x: usize, y: usize, radius: usize, colour: Rgb) {
        for row in y.saturating_sub(radius)..=y + radius {
            for column in x.saturating_sub(radius)..=x + radius {
                let (dx, dy) = (column.abs_diff(x), row.abs_diff(y));
                if dx * dx + dy * dy <= radius * radius {
                    self.set(column, row, colour);
                }
            }
        }
    }

    /// Writes capital letters, digits and `.:-/`; other characters leave a gap. A cell is `size` pixels wide.
    pub(super) fn text(&mut self, x: usize, y: usize, size: usize, colour: Rgb, text: &str) {
        for (index, letter) in text.chars().enumerate() {
            let glyph = GLYPHS.iter().find(|(it, _)| *it == letter).map_or(0, |(_, cells)| *cells);
            for cell in 0..15 {
                if glyph >> (14 - cell) & 1 == 1 {
                    let column = x + (index * 4 + cell % 3) * size;
                    self.rectangle(column, y + cell / 3 * size, size, size, colour);
                }
            }
        }
    }
}

/// Mixes two colours; `share` of 0 is all `a`, of 1 all `b`.
pub(super) fn mix(a: Rgb, b: Rgb, share: f32) -> Rgb {
    std::array::from_fn(|i| (f32::from(a[i]) + (f32::from(b[i]) - f32::from(a[i])) * share) as u8)
}

/// Pseudo-random numbers (xorshift32): the same seed gives the same picture.
pub(super) struct Dice(u32);

impl Dice {
    pub(super) fn new(seed: u32) -> Dice {
        // Zero is the one state that never changes; the multiplication spreads small seeds.
        Dice(seed.wrapping_add(1).wrapping_mul(0x9E37_79B1) | 1)
    }

    pub(super) fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }

    /// From 0 up to 1.
    pub(super) fn share(&mut self) -> f32 {
        (self.next() >> 8) as f32 / (1 << 24) as f32
    }
}
