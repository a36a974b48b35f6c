package io.mediagate;

/** A boolean that may be left unsaid. */
@VintfStability
@Backing(type="int")
enum TriState {
    /** Not said. */
    UNSPECIFIED = 0,
    /** False. */
    NO = 1,
    /** True. */
    YES = 2,
}
