package io.mediagate;

import io.mediagate.AppOpMode;

/** The mode of one app op. */
@VintfStability
parcelable AppOp {
    /** Name of the op, as "MANAGE_EXTERNAL_STORAGE". */
    String op;
    /** Its mode. */
    AppOpMode mode = AppOpMode.DEFAULT;
}
