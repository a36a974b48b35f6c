//! What calls said, so that two places can be compared.

/// Questions and answers, in order.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) lines: Vec<(String, String)>,
}

/// What a call can fail with.
pub(crate) trait Number {
    fn number(&self) -> i32;
}

impl Number for std::io::Error {
    fn number(&self) -> i32 {
        self.raw_os_error().unwrap_or(0)
    }
}

impl Number for rustix::io::Errno {
    fn number(&self) -> i32 {
        self.raw_os_error()
    }
}

impl Number for nix::Error {
    fn number(&self) -> i32 {
        *self as i32
    }
}

fn name(errno: i32) -> String {
    format!("{:?}", nix::Error::from_raw(errno))
}

impl Log {
    /// Notes whether a call succeeded; gives back what it gave.
    pub(crate) fn call<T, E: Number>(&mut self, what: &str, result: Result<T, E>) -> Option<T> {
        let outcome = result.as_ref().map_or_else(|error| name(error.number()), |_| "ok".to_owned());
        self.lines.push((what.to_owned(), outcome));
        result.ok()
    }

    /// Notes what a call gave.
    pub(crate) fn value<T: std::fmt::Debug, E: Number>(&mut self, what: &str, result: Result<T, E>) {
        let outcome = result.map_or_else(|error| name(error.number()), |value| format!("{value:?}"));
        self.lines.push((what.to_owned(), outcome));
    }

    /// Notes a fact.
    pub(crate) fn fact(&mut self, what: &str, value: impl std::fmt::Debug) {
        self.lines.push((what.to_owned(), format!("{value:?}")));
    }
}
