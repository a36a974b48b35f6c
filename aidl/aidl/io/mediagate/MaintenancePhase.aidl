package io.mediagate;

/** Where a run of maintenance, or a step of it, is. */
@VintfStability
@Backing(type="int")
enum MaintenancePhase {
    /** Something else comes first. */
    WAITING = 0,
    /** It goes on. */
    RUNNING = 1,
    /** It came to its end. */
    DONE = 2,
    /** It was cancelled. What was done stays done. */
    CANCELLED = 3,
    /** Something failed, or the whole step. */
    FAILED = 4,
}
