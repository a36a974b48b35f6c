package io.mediagate;

import io.mediagate.MediaItem;

/** A page of an answer. */
@VintfStability
parcelable MediaPage {
    /** The files. */
    MediaItem[] items;
    /** What MediaQuery.after is for the next page; null: there is none. */
    @nullable byte[] next;
}
