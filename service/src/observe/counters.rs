//! Every number that `stats` shows, by name.
