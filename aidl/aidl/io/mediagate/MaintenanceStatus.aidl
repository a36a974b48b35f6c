package io.mediagate;

import io.mediagate.MaintenancePhase;
import io.mediagate.MaintenanceStep;

/** A run of maintenance. */
@VintfStability
parcelable MaintenanceStatus {
    /** Its number since the service was started. */
    long number;
    /** Where it is. */
    MaintenancePhase phase = MaintenancePhase.WAITING;
    /** How long it has taken, in milliseconds. */
    long millis;
    /** Its steps, in order. */
    MaintenanceStep[] steps;
}
