package io.mediagate;

/** The service-specific error codes of IMediagate. The numbers never change. */
@VintfStability
@Backing(type="int")
enum ErrorCode {
    /** The named volume, package or path does not exist. */
    NOT_FOUND = 1,
    /** It exists already, or collides with something that does. */
    ALREADY_EXISTS = 2,
    /** The arguments make no sense; the message says which and what to give instead. */
    INVALID = 3,
    /** The service tried and failed; the message says at what. */
    FAILED = 4,
}
