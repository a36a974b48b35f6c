package io.mediagate;

import io.mediagate.Operation;

/** A question to explain. */
@VintfStability
parcelable ExplainRequest {
    /** The caller asked about. */
    int uid;
    /** What it would do. */
    Operation operation = Operation.LOOKUP;
    /** Absolute path on a mounted volume. */
    byte[] path;
    /** The new name, for RENAME and only for it. */
    @nullable byte[] to;
}
