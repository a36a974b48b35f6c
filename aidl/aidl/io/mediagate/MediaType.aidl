package io.mediagate;

/** What a file is to a media player or gallery. */
@VintfStability
@Backing(type="int")
enum MediaType {
    /** No media, or hidden. */
    NONE = 0,
    /** A picture. */
    IMAGE = 1,
    /** Sound. */
    AUDIO = 2,
    /** A video. */
    VIDEO = 3,
    /** A playlist. */
    PLAYLIST = 4,
    /** A subtitle. */
    SUBTITLE = 5,
    /** A document. */
    DOCUMENT = 6,
}
