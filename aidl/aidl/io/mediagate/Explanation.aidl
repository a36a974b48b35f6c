package io.mediagate;

import io.mediagate.Fact;

/** The answer of explain. */
@VintfStability
parcelable Explanation {
    /** Whether it would be allowed. */
    boolean allowed;
    /** Name of the errno the caller would get, as "EACCES"; empty when allowed. */
    String errnoName;
    /** Stable identifier of the rule that decided. */
    String rule;
    /** The rule in words. */
    String because;
    /** What would turn a refusal into a yes, each by itself, as "READ_MEDIA_IMAGES" or "a read grant on the file". */
    String[] needs;
    /** Whether the caller would see a redacted view of a file that holds location data. */
    boolean redacted;
    /** The facts looked at; empty unless the asker is an administrator. */
    Fact[] facts;
}
