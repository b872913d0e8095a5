//! Every bound of the program in one place, each with its reason. No list or loop is without one.

use std::time::Duration;

/// How long a rollout may take before it counts as failed, where an App says nothing.
/// Flux's usual `timeout` for a Kustomization. It counts from the last answer to an apply. Until
/// then requests that are refused for a reason that may pass (a namespace that is being deleted,
/// a conflict, a webhook that does not answer) are sent again for as long, counted from the start
/// of the deployment, and then count as refused. Only while the API server cannot be reached is
/// there no such bound: nothing else could be done meanwhile.
pub const HEALTH_TIMEOUT: Duration = Duration::from_secs(300);

/// How long a revision that failed and is held must be healthy before it counts as ready after
/// all, and one that was ready and fell ill before it counts as recovered. A container that crashes again and again looks healthy each time it starts, and the
/// kubelet's pauses between its starts begin at 10 s.
pub const RECOVERED_AFTER: Duration = Duration::from_secs(30);

/// Crashes of one container of the new revision after which its rollout has failed. Two: one
/// crash may be a dependency that was not up yet.
pub const FAIL_FAST_CRASHES: u64 = 2;

/// How long a pod of the new revision may be unable to pull its image before its rollout has
/// failed.
pub const FAIL_FAST_PULL_GRACE: Duration = Duration::from_secs(5);

/// The same of a container whose ConfigMap or Secret is not as it needs it. A kubelet looks again
/// after 10 to 15 s, and that look has to fit: what is missing may come a moment later, or with
/// the very commit that is judged.
pub const FAIL_FAST_CONFIG_GRACE: Duration = Duration::from_secs(20);

/// Corrections of one object within [`DRIFT_FIGHT_WINDOW`] after which another writer is taken
/// to be fighting, and corrections are backed off.
pub const DRIFT_FIGHT_CORRECTIONS: usize = 5;

/// The window in which corrections of one object are counted.
pub const DRIFT_FIGHT_WINDOW: Duration = Duration::from_secs(60);

/// First pause in a fight; doubled at each further correction up to [`DRIFT_BACKOFF_MAX`].
pub const DRIFT_BACKOFF_START: Duration = Duration::from_secs(10);

/// Longest pause in a fight.
pub const DRIFT_BACKOFF_MAX: Duration = Duration::from_secs(600);

/// Records of past revisions kept in an App's state.
pub const HISTORY_ENTRIES: usize = 10;

/// Inventory entries kept in one ConfigMap; etcd takes about 1 MiB an object and an entry with its
/// mark is rarely over 250 bytes.
pub const INVENTORY_ENTRIES_PER_CONFIGMAP: usize = 3_000;

/// First pause before a request that failed for a passing reason is sent again.
pub const RETRY_START: Duration = Duration::from_millis(100);

/// Longest such pause.
pub const RETRY_MAX: Duration = Duration::from_secs(30);

/// How often in a row a commit to go back to is fetched before the App is held. With pauses that
/// double from [`RETRY_START`] on, about a minute.
pub const FETCH_TRIES: u32 = 10;

/// Events kept for each resource for watches that start in the past; older ones answer 410.
pub const WATCH_HISTORY_EVENTS: usize = 10_000;

/// Entries of a list that a client asks for in one page (client-go's own figure).
pub const LIST_PAGE: u64 = 500;

/// Request bodies over this are answered 413 (R-HTTP-27).
pub const REQUEST_BODY_BYTES: usize = 3 * 1024 * 1024;

/// The text of a body up to this is kept, so that what is wrong with its fields is told in its
/// order (R-HTTP-33); in longer ones it is told by name.
pub const ORDERED_BODY_BYTES: usize = 256 * 1024;

/// Sorts of requests that `/metrics` counts apart: some thousand are all that clients have a use for.
pub const METRIC_SERIES: usize = 10_000;

/// Operations in one JSON patch (R-HTTP-27).
pub const JSON_PATCH_OPERATIONS: usize = 10_000;

/// Update entries in managedFields before the oldest are merged (R-SSA-27).
pub const MANAGED_FIELDS_UPDATES: usize = 10;

/// Nesting of a YAML or JSON document.
pub const DOCUMENT_DEPTH: usize = 128;

/// Nodes that the aliases of one YAML text may expand to. A hundred times what real manifests
/// do; an alias bomb passes it at once.
pub const ALIAS_NODES: usize = 100_000;

/// Parsed files kept between renders. A large repository has some thousand manifests.
pub const PARSE_CACHE_FILES: usize = 20_000;

/// Files over this size in a repository are listed but not read.
pub const BLOB_BYTES: u64 = 8 * 1024 * 1024;

/// Folders inside each other that are read from a repository; reading goes down by recursion.
pub const FOLDER_DEPTH: usize = 128;

/// Files of a folder that is taken as a repository; more is a wrong folder (a home, a root).
pub const FOLDER_FILES: usize = 200_000;

/// Folders and files of past commits that are kept in memory before those that no artifact holds
/// any more are let go. Well above one large repository (4,000 files are about 5,000 entries).
pub const SOURCE_CACHE_ENTRIES: usize = 50_000;

/// Virtual time within which a run must come to rest after its last step, else exit code 5.
pub const CONVERGE: Duration = Duration::from_secs(1_800);

/// The same in real time, on a cluster that somebody waits for.
pub const CONVERGE_REAL: Duration = Duration::from_secs(600);
/// Runs that the shortening of one finding may take.
pub const SHRINK_RUNS: usize = 600;

/// Apps of a run that is held against an undisturbed one; with more that would double what a large
/// run takes.
pub const UNDISTURBED_APPS: usize = 20;

/// How long the world must stay without a write before it counts as quiet.
pub const QUIET: Duration = Duration::from_secs(60);

/// Steps of the loop of one run; past it the run is stopped as not converging.
pub const RUN_EVENTS: u64 = 200_000_000;

/// The same in real time, where waiting costs somebody's time.
pub const QUIET_REAL: Duration = Duration::from_secs(2);

/// How long the engine must have wanted and heard nothing for a step to count as at rest: longer
/// than any fetch, notice or answer takes in a profile.
pub const REST: Duration = Duration::from_secs(1);
/// How long after the end of a revision, a rollback or a correction the engine's own book-keeping
/// (status, history, events) may still be written before a write counts as one at rest.
pub const BOOKKEEPING: Duration = Duration::from_secs(5);

/// Events kept with a failure: what happened last before it, as far as a reader follows.
pub const FAILURE_TAIL: usize = 10;
/// Owners that the garbage collector remembers to be gone, so that it need not ask for them
/// (the real one's own figure).
pub const ABSENT_OWNERS: usize = 500;

/// Times of a schedule that may be missed before a CronJob says so (upstream's figure).
pub const CRON_TIMES_MISSED: usize = 100;

/// Times of a schedule that are gone through to find the last one.
pub const CRON_TIMES_TRIED: usize = 100_000;

/// Endpoints of one EndpointSlice (R-CTL-20).
pub const ENDPOINTS_PER_SLICE: usize = 100;

/// First pause of a controller after a refused or conflicting write (client-go's rate limiter).
pub const CONTROLLER_RETRY_START: Duration = Duration::from_millis(5);

/// Longest such pause (client-go's figure).
pub const CONTROLLER_RETRY_MAX: Duration = Duration::from_secs(1_000);

/// How long an Event is kept after the last write to it (kube-apiserver's `--event-ttl`).
pub const EVENT_TTL: Duration = Duration::from_secs(3_600);

/// Events that a recorder remembers, to count a repetition instead of writing another.
pub const EVENTS_REMEMBERED: usize = 4_096;

/// Rounds in which one pod does what is due at one instant. A container that crashes and starts
/// in no time backs off at its second crash, so a few rounds a container are enough.
pub const POD_ROUNDS: usize = 1_000;

/// Different texts of Events that are remembered of one pod, to count those that come again.
pub const POD_EVENTS: usize = 100;

/// First pause before a correction is tried again that the API server could not take yet; doubled
/// each time up to [`RETRY_MAX`].
pub const CORRECT_AGAIN: Duration = Duration::from_secs(1);

/// Users whose last way to impersonate is remembered (the real server remembers as many).
pub const IMPERSONATORS: usize = 10_000;
/// Events that may lie ready for one watch on the wire; a burst of one write to a very large
/// collection must fit. A reader that leaves more is cut off.
pub const WATCH_QUEUE_EVENTS: usize = 100_000;

/// Events that may lie ready for one watch for as long as it likes to leave them.
pub const WATCH_QUEUE_SOFT: usize = 1_000;

/// Bytes of events that may lie ready for one watch: the burst of a write to some ten thousand
/// objects, or what a reader over a slow line is behind. One that leaves more is cut off.
pub const WATCH_QUEUE_BYTES: usize = 64 * 1024 * 1024;

/// How long more than [`WATCH_QUEUE_SOFT`] events may lie ready for a watch before it is cut off.
pub const WATCH_LAG: Duration = Duration::from_secs(10);

/// Events that lie ready together are sent in pieces of at most so many bytes, unless one is larger.
pub const WATCH_CHUNK_BYTES: usize = 64 * 1024;

/// Signals of a cluster that are carried out before requests from outside have their turn again.
pub const SIGNALS_AT_ONCE: usize = 64;

/// Answers over this are compressed for those who take gzip (R-HTTP-28).
pub const GZIP_FROM_BYTES: usize = 128 * 1024;

/// Concurrent streams of one HTTP/2 connection; an informer needs one a resource.
pub const HTTP2_STREAMS: u32 = 1_000;

/// How long connections may take to end by themselves when the server stops.
pub const SHUTDOWN: Duration = Duration::from_secs(3);

/// How long a client may take for its TLS handshake, or to say anything at all.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection may be open without a request; the real server's figure.
pub const FIRST_REQUEST: Duration = Duration::from_secs(32);

/// How long the body of a request may take: the real server's bound of a request. At the largest
/// body it is a line of 50 kB a second.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(60);

/// The head of a request, with a selector that names hundreds of objects; Go's figure.
pub const HEAD_BYTES: u32 = 1024 * 1024;

/// How long a connection of HTTP/1.1 may lie idle between two requests, and the head of the next
/// may take: the real server's figure. Clients keep connections in pools for that long. One of
/// HTTP/2 is asked after so long whether its client is still there.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(90);

/// A log on the disk below this many bytes is not begun anew, however small the state is.
pub const JOURNAL_BYTES: u64 = 32 * 1024 * 1024;

/// Objects in one batch of a log's state.
pub const JOURNAL_STATE_BATCH: usize = 1_000;
/// Corrections of one object in a row that the API server could not take after which that is told:
/// a quarter of a minute after the first.
pub const CORRECT_TRIES: u32 = 5;

/// Calls to webhooks for one request before the next counts as failed: a request whose object
/// keeps changing under it is asked about anew each time.
pub const WEBHOOK_CALLS: usize = 100;

/// Folders that one build goes into: bases that are based on each other twice double with each
/// layer.
pub const RENDER_FOLDERS: usize = 10_000;

/// Objects of one build.
pub const RENDER_OBJECTS: usize = 200_000;

/// Bytes of a value that a replacement copies: one that copies into its own source doubles.
pub const RENDER_VALUE_BYTES: usize = 8 * 1024 * 1024;

/// Expressions of policies that are kept compiled.
pub const CEL_PROGRAMS: usize = 1_000;

/// Requests of one run that may be under way to a real API server at once; a server's own limit
/// for mutating requests is 200, for all clients together.
pub const REQUESTS_IN_FLIGHT: usize = 64;

/// How often a request is sent again because the answer asks for a pause (client-go's figure).
pub const ASKED_TO_WAIT_TRIES: u32 = 10;

/// How long an API server may take for an answer; its own bound is a minute.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(65);

/// After so many seconds a watch of a real API server is asked for anew. Below the five minutes at
/// which many load balancers cut connections.
pub const WATCH_SECONDS: u64 = 290;

/// Longest line of a watch: etcd takes 1.5 MB an object, escapes and managed fields on top.
pub const WATCH_LINE_BYTES: usize = 16 * 1024 * 1024;

/// How long an API server may be out of reach before a run on it is given up.
pub const UNREACHABLE: Duration = Duration::from_secs(30);

/// Waits of a scenario, added up, that real time is spent on; one that waits for longer is run in
/// virtual time only.
pub const REAL_WAIT: Duration = Duration::from_secs(180);

/// How long a real cluster may take to remove what a run made there. Foreground deletion and the
/// grace of pods are about half a minute; an empty namespace takes six seconds.
pub const REMOVAL: Duration = Duration::from_secs(120);

/// Longest body of a webhook (GitHub's own bound).
pub const HOOK_BODY_BYTES: usize = 25 * 1024 * 1024;

/// Longest pack that the Git server takes in one push: well over any repository of manifests.
pub const GIT_BODY_BYTES: usize = 1024 * 1024 * 1024;

/// How long etcd and kube-apiserver may take to start; on two busy cores it is six seconds.
pub const CONTROL_PLANE_START: Duration = Duration::from_secs(120);

/// How long a command of git may take; the largest push of a repository of manifests takes seconds.
pub const GIT: Duration = Duration::from_secs(120);

/// How long kind or k3d may take for all but the making of a cluster.
pub const TOOL: Duration = Duration::from_secs(120);

/// How long kind or k3d may take to make a cluster: their own wait of two minutes, and before it
/// node images of a gigabyte that have to be fetched.
pub const CLUSTER_CREATION: Duration = Duration::from_secs(900);

/// How long a program that was asked to end may take before it is ended.
pub const TERMINATION: Duration = Duration::from_secs(5);

/// How long an API server may take for an answer to what is asked before and after a run, while
/// nothing else goes on.
pub const ANSWER_TO_LAB: Duration = Duration::from_secs(10);

/// How long the commits of a repository may be out of reach before a run is given up.
pub const UNFETCHED: Duration = Duration::from_secs(30);

/// How long the engine's errands in Git may take to end with a run.
pub const ERRANDS_END: Duration = Duration::from_secs(5);
