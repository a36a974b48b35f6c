package io.mediagate;

/** What a grant allows. */
@VintfStability
@Backing(type="int")
enum GrantKind {
    /** Reading; any app can be given it on any indexed file. */
    READ = 0,
    /** Reading and writing. */
    WRITE = 1,
    /** Reading a picture or video, for an app that holds READ_MEDIA_VISUAL_USER_SELECTED: the user selected it. */
    SELECTED = 2,
}
