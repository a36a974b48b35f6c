package io.mediagate;

import io.mediagate.MaintenancePhase;

/** A step of maintenance. */
@VintfStability
parcelable MaintenanceStep {
    /** Its name: "expired", "packages", "users", "volumes", "tombstones", "marks" or "catalog". */
    String name;
    /** Where it is. */
    MaintenancePhase phase = MaintenancePhase.WAITING;
    /** How many things it changed. */
    long done;
    /** How many it could not. */
    long failed;
    /** What it did, in words; not for programs. */
    String said;
}
