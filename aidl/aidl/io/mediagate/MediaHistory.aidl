package io.mediagate;

import io.mediagate.MediaItem;

/** A page of what changed. */
@VintfStability
parcelable MediaHistory {
    /** Files that were added or changed, oldest change first. */
    MediaItem[] items;
    /** Ids of pictures and videos that are gone; after the last of items. */
    long[] gone;
    /** What to ask for next time, when there is no next page. */
    long generation;
    /** Where the next page begins; null: this was the last one. */
    @nullable byte[] next;
    /** What was asked for reaches back too far: begin anew, with a query for all there is. */
    boolean startOver;
}
