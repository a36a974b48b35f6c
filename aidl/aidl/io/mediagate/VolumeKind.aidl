package io.mediagate;

/** Kind of a volume. */
@VintfStability
@Backing(type="int")
enum VolumeKind {
    /** A directory for each user: lower/USER/... is shown as mount/USER/... */
    EMULATED = 0,
    /** One tree for all users: lower/... is shown as mount/... */
    PUBLIC = 1,
}
