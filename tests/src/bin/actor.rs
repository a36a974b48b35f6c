//! An app: becomes the uid it is told and does what it is asked, one JSON line after the other.
//! See `mediagate_tests::actor`.

fn main() {
    match std::env::args().nth(1).and_then(|uid| uid.parse().ok()) {
        Some(uid) => mediagate_tests::actor::serve(uid),
        None => eprintln!("usage: mediagate-actor UID"),
    }
}
