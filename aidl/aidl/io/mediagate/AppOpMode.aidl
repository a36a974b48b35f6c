package io.mediagate;

/** Mode of an app op. */
@VintfStability
@Backing(type="int")
enum AppOpMode {
    /** The permission that goes with the op decides. */
    DEFAULT = 0,
    /** Allowed. */
    ALLOW = 1,
    /** Refused without an error. */
    IGNORE = 2,
    /** Refused with an error. */
    DENY = 3,
}
