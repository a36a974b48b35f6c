package io.mediagate;

import io.mediagate.AppOpMode;
import io.mediagate.ExplainRequest;
import io.mediagate.Explanation;
import io.mediagate.GrantSpec;
import io.mediagate.GrantStatus;
import io.mediagate.IMediaStore;
import io.mediagate.MaintenanceStatus;
import io.mediagate.PackageSpec;
import io.mediagate.PackageStatus;
import io.mediagate.ScanStatus;
import io.mediagate.Stat;
import io.mediagate.VolumeSpec;
import io.mediagate.VolumeState;
import io.mediagate.VolumeStatus;

/**
 * The running mediagate service: its volumes, the packages it knows, what they may do, and what it is doing.
 *
 * Served under a name on kernel binder, and as the root object of an RPC session (android-13 wire or later) on a
 * Unix socket.
 *
 * Every method is authorised by the uid of the calling process, as the kernel reports it. An "administrator" is a
 * uid that the service's configuration lists in admin_uids (root and system unless it says otherwise).
 *
 * A caller without the right gets EX_SECURITY. Every other failure is a service-specific error with a code from
 * ErrorCode and a message for people. Paths and names of files are bytes: they are not always UTF-8.
 */
@VintfStability
interface IMediagate {
    /**
     * The attached volumes, in the order they were attached.
     *
     * Administrators only.
     */
    VolumeStatus[] listVolumes();

    /**
     * Attaches a volume and mounts it. When this returns, it is mounted.
     *
     * Administrators only. ALREADY_EXISTS: a volume has this name, or its directories overlap with those of another
     * one. INVALID: a field makes no sense. FAILED: the lower directory or the mount does not work.
     */
    void attachVolume(in VolumeSpec volume);

    /**
     * Unmounts a volume and forgets it. Its files stay where they are.
     *
     * Administrators only. NOT_FOUND: no volume has this name. FAILED: it could not be unmounted.
     */
    void detachVolume(in String name);

    /**
     * A page of the packages, sorted by name: those whose name sorts after "after", as many as fit one answer. Start
     * with the empty string, go on with the last name received, stop at an empty answer.
     *
     * Administrators see all packages; any other caller sees the packages that have its own uid.
     */
    PackageStatus[] listPackages(in String after);

    /**
     * Installs a package, or replaces the one of the same name.
     *
     * Administrators only. ALREADY_EXISTS: it collides with another package. INVALID: a field makes no sense.
     * FAILED: it could not be recorded, or the files of an earlier one of this name are still being made nobody's.
     */
    void installPackage(in PackageSpec spec);

    /**
     * Removes a package from all users. Its files stay and are nobody's from when this returns, but for those below
     * Android/media and its name; its grants go. One of the same name that is installed later owns nothing of it.
     *
     * Administrators only. NOT_FOUND: no package has this name. FAILED: it could not be recorded.
     */
    void removePackage(in String packageName);

    /**
     * Grants or revokes a permission, named with or without "android.permission.". Every open that starts after
     * this has returned is decided by the new state.
     *
     * Administrators only. NOT_FOUND: no package has this name. INVALID: there is no such permission.
     */
    void setPermission(in String packageName, in String permission, boolean granted);

    /**
     * Sets the mode of an app op. Takes effect as setPermission does.
     *
     * Administrators only. NOT_FOUND: no package has this name. INVALID: there is no such app op.
     */
    void setAppOp(in String packageName, in String op, AppOpMode mode);

    /**
     * Grants one existing file to a package in one of its users, in place of the grant of that kind that it has on the
     * file. Every open that starts after this has returned is decided by the new state, and the grant is stored. It
     * belongs to the file, not to the path: a rename keeps it, and a file that is removed or replaced takes it along.
     *
     * A package may have 5000 SELECTED grants in a user; the oldest ones make room for more. Of each other kind it may
     * have 5000 too, and one more is refused.
     *
     * Administrators only. NOT_FOUND: no such package in this user, or no file there. INVALID: a field makes no sense,
     * or it is no file that is indexed. FAILED: too many grants, or a volume whose files cannot be told apart for
     * good (vfat, exfat), or it could not be stored.
     */
    void addGrant(in GrantSpec grant);

    /**
     * A page of the grants that are in force, oldest first: those whose number is above "after", as many as fit one
     * answer. Start with 0, go on with the last number received, stop at an empty answer. With a package name only
     * those of this package, in all its users.
     *
     * Administrators see all grants; any other caller sees those of the packages that have its own uid, in its user.
     */
    GrantStatus[] listGrants(in @nullable String packageName, long after);

    /**
     * Removes what a package holds in a user on one file, of every kind, or on all files when there is no path. Says
     * how many grants that were. Takes effect as addGrant does.
     *
     * Administrators only. NOT_FOUND: the package holds nothing on the file, or is not installed and holds nothing, or
     * the path is on no mounted volume. FAILED: it could not be stored.
     */
    int removeGrant(in String packageName, int user, in @nullable byte[] path);

    /**
     * Makes the index say what the lower tree says, and has the facts of media files read: of one file or directory, or
     * without a path of every volume. One file is scanned when this returns. Of a directory or volume the scan has
     * begun, or waits for others: one status for each volume, whose ticket scanProgress and cancelScan take. What an
     * administrator has scanned is believed: if there is not one file, the index keeps none.
     *
     * Administrators may have anything scanned; any other caller one file that it may read, or that is gone.
     * NOT_FOUND: the path is on no mounted volume. FAILED: too many scans wait, or the index does not work.
     */
    ScanStatus[] scan(in @nullable byte[] path);

    /**
     * The scans that wait, run, or were over not long ago, oldest first, volume after volume.
     *
     * Administrators only.
     */
    ScanStatus[] scanProgress();

    /**
     * Cancels a scan. What it mended stays mended.
     *
     * Administrators only. NOT_FOUND: no such scan is waiting or running.
     */
    void cancelScan(in String volume, long ticket);

    /**
     * What would happen if a caller did an operation on a path, and why. Nothing is performed.
     *
     * Administrators may ask about any uid; any other caller about its own uid, and gets no facts, as those may be
     * about other packages. NOT_FOUND: the path is on no mounted volume. INVALID: the request makes no sense.
     */
    Explanation explain(in ExplainRequest request);

    /**
     * The index of files, for apps as well as administrators.
     */
    IMediaStore mediaStore();

    /**
     * All counters and gauges, sorted by name.
     *
     * Administrators only.
     */
    Stat[] stats();

    /**
     * The state of the service as text for people: calls of this interface in flight and observers, volumes and sessions,
     * nodes, handles, backing files by uid, caches, queues, requests in flight and the slowest ones, the last errors,
     * packages, numbers. The format is not for programs. Cut off when it does not fit one answer; "dumpsys" gets all of it,
     * and gets it also as the shell of a device (uid 2000, by kernel binder only).
     *
     * Administrators only.
     */
    String dumpState();

    /**
     * A path below the mount that shows a picture, video or sound file without its location: to everybody, the file's
     * owner and holders of ACCESS_MEDIA_LOCATION included, and for reading only. It is made at the first call and stays the
     * same for as long as the file is there, whatever its name. Who may read the file may read it by this path; so may
     * "readerPackage" in "readerUser", if it is given, which gets no other right to the file. That ends when the package or
     * the file goes.
     *
     * Administrators may ask for any file; any other caller for one that it may read, with a reader in its own user.
     * NOT_FOUND: no such file, or none that the caller may read; or no such package in that user. INVALID: it is a
     * directory, not indexed, or no such media file. FAILED: a volume whose files cannot be told apart for good (vfat,
     * exfat), or it could not be stored.
     */
    byte[] redactedPath(in byte[] path, in @nullable String readerPackage, int readerUser);

    /**
     * Takes everything away from a package that stays installed, as its removal would. Until it is done the package is
     * nobody; mostly that is when this returns.
     *
     * Administrators only. NOT_FOUND: no package has this name. FAILED: it could not be recorded.
     */
    void clearPackage(in String packageName);

    /**
     * Begins a run of maintenance: files whose time in the trash or as pending is over, files of packages and rows of
     * users and volumes that are gone, tombstones, ids written on files, the catalog itself. Joins the run that waits or
     * goes on, if there is one.
     *
     * Administrators only.
     */
    MaintenanceStatus maintain();

    /**
     * The run of maintenance that waits, goes on, or was last; null if there was none.
     *
     * Administrators only.
     */
    @nullable MaintenanceStatus maintenanceProgress();

    /**
     * Cancels the run of maintenance that waits or goes on. What was done stays done.
     *
     * Administrators only. NOT_FOUND: there is none.
     */
    void cancelMaintenance();

    /**
     * Serves a volume that the caller has mounted, as vold does: "device" is the descriptor of /dev/fuse that mount(2) was
     * given, of which nothing was read yet. When this returns the kernel has had its answer and apps are served.
     *
     * The id says what it is, as vold's do. "emulated;10", or "emulated:8,2;10" on adopted storage, is the tree of user 10:
     * the volume "external_primary", of another user than 0 "external_primary-10". "public:7,1" is a card: the volume has
     * the name of its upper directory, in lower case. "upperPath" is where it is mounted, as this service sees it. The files
     * are below "lowerPath", in an emulated volume those of user 10 below "10" in it.
     *
     * Administrators only. ALREADY_EXISTS: the id or the volume has a session, or a directory is another volume's. INVALID:
     * an argument makes no sense: the descriptor is none of /dev/fuse, is not mounted or was read from; nothing is mounted at
     * "upperPath". FAILED: the lower directory or the connection does not work.
     */
    void startSession(
            in String id, in ParcelFileDescriptor device, in byte[] upperPath, in byte[] lowerPath);

    /**
     * Ends a session. When this returns nobody finds the volume where it was mounted, and nothing of its lower directory is
     * in use but what apps have open. A mount that is still there is detached; one that the caller took away is none the worse.
     *
     * Administrators only. NOT_FOUND: there is no such session.
     */
    void endSession(in String id);

    /**
     * Says what becomes of the volume of a session. MOUNTED and MOUNTED_READ_ONLY have it scanned; EJECTING, UNMOUNTED,
     * UNMOUNTABLE, FORMATTING, REMOVED and BAD_REMOVAL end its session, if there is one; CHECKING changes nothing.
     *
     * Administrators only. INVALID: there is no such state. NOT_FOUND: there is no such session to be scanned. FAILED: too
     * many scans wait.
     */
    void volumeStateChanged(in String id, VolumeState state);

    /**
     * Gives back what is only kept to be faster: backing files that no app has open, and the room that the catalog's log
     * takes. Says how many bytes of storage that made free; files are never removed.
     *
     * Administrators only. FAILED: the catalog does not work.
     */
    long freeCache();

    /**
     * Gives the processes of a mount namespace, which run as "uid", their packages' directories below Android/data and
     * Android/obb at native speed, on each emulated volume that serves the uid's user: in that namespace the lower directories
     * are bound over the volume's mount, wherever it is mounted there, and those of other packages are absent. They are made if
     * they are missing, and belong to the uid from then on. When this returns they are there. Where they are already, nothing is
     * changed. They go with the namespace.
     *
     * "mountNamespace" is /proc/PID/ns/mnt of a process for which a namespace was unshared, before it becomes the app.
     *
     * Administrators only. NOT_FOUND: the uid has no package, or no emulated volume serves its user. INVALID: the descriptor is
     * of no mount namespace, or of that of the service or of the first process; the volume is not mounted there; something
     * else is mounted there over one of the directories, or the directories of another uid are. FAILED: a directory cannot be made or is not
     * one, or the kernel refuses; nothing stays mounted.
     */
    void bindPrivateStorage(in ParcelFileDescriptor mountNamespace, int uid);
}
