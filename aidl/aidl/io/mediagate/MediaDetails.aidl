package io.mediagate;

import io.mediagate.MediaLocation;

/** What a media file says of itself. A number that it does not tell is 0, a text null. Long texts are cut. */
@VintfStability
parcelable MediaDetails {
    /** Width in pixels, before rotation. */
    int width;
    /** Height in pixels, before rotation. */
    int height;
    /** Rotation for display in degrees: 0, 90, 180 or 270. */
    int orientation;
    /** Duration in milliseconds. */
    long durationMillis;
    /** Bits in a second. */
    int bitrate;
    /** Artist. */
    @nullable String artist;
    /** Album. */
    @nullable String album;
    /** Artist of the album. */
    @nullable String albumArtist;
    /** Composer. */
    @nullable String composer;
    /** Genre. */
    @nullable String genre;
    /** Number in the album. */
    int track;
    /** Number of the disc. */
    int disc;
    /** How many tracks the album has. */
    int tracks;
    /** Year. */
    int year;
    /** Part of a compilation. */
    boolean compilation;
    /** Sample rate in hertz. */
    int sampleRate;
    /** Bits of a sample. */
    int bitsPerSample;
    /** A picture of the album is in the file. */
    boolean albumArt;
    /** Codec of the first video track, as a MIME type. */
    @nullable String codec;
    /** Frames in 1000 seconds. */
    int frameRateMilli;
    /** Colour standard, as MediaFormat numbers it. */
    int colorStandard;
    /** Transfer curve, as MediaFormat numbers it. */
    int colorTransfer;
    /** Colour range, as MediaFormat numbers it. */
    int colorRange;
    /** Exposure in seconds, as the file writes it. */
    @nullable String exposureTime;
    /** Aperture, as the file writes it. */
    @nullable String fNumber;
    /** ISO. */
    int iso;
    /** Scene capture type of EXIF. */
    int sceneCaptureType;
    /** Description. */
    @nullable String description;
    /** 1: GIF, 2: a picture with a video in it, 3: animated WebP. */
    int specialFormat;
    /** DocumentID of XMP. */
    @nullable String xmpDocument;
    /** InstanceID of XMP. */
    @nullable String xmpInstance;
    /** OriginalDocumentID of XMP. */
    @nullable String xmpOriginal;
    /** Where it was made, for who sees the file as it is; null as well where it does not tell. */
    @nullable MediaLocation location;
}
