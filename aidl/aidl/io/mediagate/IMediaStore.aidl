package io.mediagate;

import io.mediagate.ChangeBatch;
import io.mediagate.IMediaObserver;
import io.mediagate.InsertSpec;
import io.mediagate.Inserted;
import io.mediagate.MediaChanges;
import io.mediagate.MediaGroup;
import io.mediagate.MediaGrouping;
import io.mediagate.MediaHistory;
import io.mediagate.MediaPage;
import io.mediagate.MediaQuery;
import io.mediagate.MediaResult;
import io.mediagate.MediaVersion;

/**
 * The index of media and other files, and work on files by their ids.
 *
 * Every caller may call every method. What it sees, and what it may do, is what the rules say of its uid, as they do
 * when it works on paths: files are made, moved, opened and removed through the volume's mount on behalf of the caller.
 * An answer holds everything that was done before the call, by whomever.
 *
 * Failures are those of IMediagate. EX_SECURITY: the caller may not do that.
 */
@VintfStability
interface IMediaStore {
    /**
     * A page of the files that are asked for and that the caller may see. A page holds as many as fit one answer: go on
     * with its "next" until there is none.
     *
     * NOT_FOUND: no attached volume has this name. INVALID: a field makes no sense, or the cursor is of another query.
     */
    MediaPage query(in MediaQuery query);

    /** How many files a query finds in all; its order, limit and place are not asked. Fails as query does. */
    long count(in MediaQuery query);

    /**
     * The files that a query finds by what they have in common, the group with the newest file first: those behind the
     * first "skip" groups, as many as fit one answer. Stop at an empty answer. Fails as query does.
     */
    MediaGroup[] groups(in MediaQuery query, MediaGrouping by, int skip);

    /**
     * Makes an empty file that belongs to the caller. The name is made one that any volume can hold, gets the extension
     * of the MIME type unless it has one of it, and a number where another file has it: "x (1).jpg".
     *
     * EX_SECURITY: the caller may not make such a file there. NOT_FOUND: no attached volume has this name. INVALID: a
     * field makes no sense. ALREADY_EXISTS: no free name was found. FAILED: it could not be made.
     */
    Inserted insert(in InsertSpec spec);

    /**
     * Changes files, at most 20000 in one call: one result for each id, in their order. One that fails does not keep the
     * others. A file that changes its name or place gets a number where another one has the name.
     *
     * INVALID: too many ids, or changes that exclude each other.
     */
    MediaResult[] update(in long[] ids, in MediaChanges changes);

    /**
     * Removes files for good, at most 20000 in one call: one result for each id, in their order.
     *
     * INVALID: too many ids.
     */
    MediaResult[] remove(in long[] ids);

    /**
     * Opens a file as the caller itself would: what it must not see of it reads as zeros. Modes: "r", "w", "wa", "rw", and
     * "wt" or "rwt", which empty it. Reading is allowed in all of them.
     *
     * EX_SECURITY: the caller may not open it so. NOT_FOUND: there is no such file for the caller. INVALID: there is no
     * such mode. FAILED: it could not be opened.
     */
    ParcelFileDescriptor openFile(long id, in String mode);

    /**
     * The files that a playlist names and that the caller may see, in its order, as often as it names them: of the first
     * 10000 that it names. What is on another volume or on the network is left out. Begin with "after" null, go on with the
     * answer's "next" until there is none.
     *
     * EX_SECURITY: the caller may not read the playlist. NOT_FOUND: there is no such file for the caller. INVALID: the
     * cursor is none. FAILED: it could not be read.
     */
    MediaPage playlist(long id, in @nullable byte[] after);

    /**
     * Files of the query that changed after a generation, then pictures and videos that went. Begin with "after" of the
     * query null, go on with the answer's "next"; behind the last page the answer's "generation" is where to begin the next
     * time. The query's order is not asked.
     *
     * Fails as query does.
     */
    MediaHistory changes(in MediaQuery query, long since);

    /** The generation of the last change, and which index it is one of. */
    MediaVersion version();

    /**
     * Calls the observer when files that the query finds change, until it is unregistered or its process ends. The
     * query's times, names and tags are not asked. An observer that does not keep up is told less in more general terms,
     * and how much it missed. One that is registered again begins anew. At most 64 for each uid; when there are 1024 in all,
     * the uid that has most of them loses its oldest one.
     *
     * On a Unix socket the service begins no call: the process asks for what waits for the observer with awaitChanges, and
     * the observer stands for it.
     *
     * FAILED: too many observers of this uid, or too many calls at a time that bring one. NOT_FOUND, INVALID: as query.
     */
    void registerObserver(IMediaObserver observer, in MediaQuery filter);

    /**
     * Nothing more is told to the observer, and what waits for it is forgotten.
     *
     * NOT_FOUND: it is not registered. FAILED: as registerObserver.
     */
    void unregisterObserver(IMediaObserver observer);

    /**
     * Takes what waits for the caller's observer, and if nothing does, waits for changes for so many milliseconds (30000
     * at most). For processes that the service cannot call.
     *
     * NOT_FOUND: it is not registered, or not any more. INVALID: the caller came by kernel binder, where its observer is called.
     * FAILED: as registerObserver.
     */
    ChangeBatch awaitChanges(IMediaObserver observer, int millis);
}
