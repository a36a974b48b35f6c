package io.mediagate;

/** What happened. */
@VintfStability
@Backing(type="int")
enum ChangeKind {
    /** A file came, or came into view. */
    ADDED = 0,
    /** What is known of a file changed. */
    CHANGED = 1,
    /** A file went, or went out of view. */
    REMOVED = 2,
    /** Anything may have happened on the volume: ask. */
    MANY = 3,
}
