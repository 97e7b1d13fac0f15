using Dapper;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Storage;

/// <summary>The database's tables, as a list of steps: a file that is older runs those it lacks. Times are Unix milliseconds.</summary>
internal static class Schema
{
    private static readonly string[] s_steps =
    [
        """
        CREATE TABLE nodes (
            id TEXT PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            lifecycle TEXT NOT NULL,
            inventory TEXT NOT NULL,
            first_seen INTEGER NOT NULL,
            last_seen INTEGER NOT NULL,
            address TEXT,
            boot_id TEXT,
            install_id TEXT,
            image TEXT,
            certificate_serial TEXT,
            previous_serial TEXT,
            new_key INTEGER NOT NULL DEFAULT 0
        ) STRICT;
        CREATE TABLE images (
            digest TEXT PRIMARY KEY,
            name TEXT NOT NULL,
            architecture TEXT NOT NULL,
            size_bytes INTEGER NOT NULL,
            used_bytes INTEGER NOT NULL,
            stored_bytes INTEGER NOT NULL,
            imported_at INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE jobs (
            id TEXT PRIMARY KEY,
            kind TEXT NOT NULL,
            image TEXT,
            created_at INTEGER NOT NULL,
            created_by TEXT NOT NULL
        ) STRICT;
        CREATE TABLE tasks (
            id TEXT PRIMARY KEY,
            job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
            node_id TEXT NOT NULL REFERENCES nodes (id) ON DELETE CASCADE,
            state TEXT NOT NULL,
            phase TEXT NOT NULL DEFAULT '',
            cause TEXT NOT NULL DEFAULT '',
            disk TEXT,
            attempts INTEGER NOT NULL DEFAULT 0,
            cancel_requested INTEGER NOT NULL DEFAULT 0,
            boot_id_before TEXT,
            created_at INTEGER NOT NULL,
            sent_at INTEGER,
            phase_at INTEGER NOT NULL,
            ended_at INTEGER
        ) STRICT;
        CREATE INDEX tasks_by_job ON tasks (job_id);
        CREATE INDEX tasks_open ON tasks (node_id) WHERE ended_at IS NULL;
        CREATE TABLE node_log (
            id INTEGER PRIMARY KEY,
            node_id TEXT NOT NULL REFERENCES nodes (id) ON DELETE CASCADE,
            task_id TEXT,
            at INTEGER NOT NULL,
            line TEXT NOT NULL
        ) STRICT;
        CREATE INDEX node_log_by_node ON node_log (node_id, id);
        CREATE INDEX node_log_by_task ON node_log (task_id, id);
        CREATE TABLE tokens (
            hash TEXT PRIMARY KEY,
            name TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            expires_at INTEGER
        ) STRICT;
        CREATE TABLE leases (
            mac TEXT PRIMARY KEY,
            address TEXT NOT NULL,
            expires_at INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE boot_boards (
            mac TEXT PRIMARY KEY,
            body TEXT NOT NULL
        ) STRICT;
        CREATE TABLE boot_conversations (
            mac TEXT NOT NULL REFERENCES boot_boards (mac) ON DELETE CASCADE,
            started_at INTEGER NOT NULL,
            body TEXT NOT NULL,
            PRIMARY KEY (mac, started_at)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE presence (
            id TEXT PRIMARY KEY,
            body TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE presence_events (
            sequence INTEGER PRIMARY KEY,
            kind TEXT NOT NULL,
            node_id TEXT NOT NULL,
            at INTEGER NOT NULL,
            reason TEXT NOT NULL
        ) STRICT;
        CREATE TABLE settings (
            key TEXT PRIMARY KEY,
            value TEXT NOT NULL
        ) STRICT;
        """,
        // What people say of a node, what was recorded of it, and whether a person has seen that. Nodes from before are no news.
        """
        ALTER TABLE nodes ADD COLUMN version TEXT NOT NULL DEFAULT '';
        ALTER TABLE nodes ADD COLUMN tags TEXT NOT NULL DEFAULT '';
        ALTER TABLE nodes ADD COLUMN note TEXT NOT NULL DEFAULT '';
        ALTER TABLE nodes ADD COLUMN location TEXT NOT NULL DEFAULT '';
        ALTER TABLE nodes ADD COLUMN facts TEXT NOT NULL DEFAULT '{}';
        ALTER TABLE nodes ADD COLUMN acknowledged_at INTEGER;
        ALTER TABLE nodes ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
        UPDATE nodes SET acknowledged_at = last_seen;
        CREATE TABLE node_changes (
            id INTEGER PRIMARY KEY,
            node_id TEXT NOT NULL REFERENCES nodes (id) ON DELETE CASCADE,
            at INTEGER NOT NULL,
            source TEXT NOT NULL,
            field TEXT NOT NULL,
            old TEXT NOT NULL,
            new TEXT NOT NULL
        ) STRICT;
        CREATE INDEX node_changes_by_node ON node_changes (node_id, id);
        """,
        // Kinds of jobs with parameters of their own.
        """
        ALTER TABLE jobs ADD COLUMN parameters TEXT NOT NULL DEFAULT '{}';
        """,
        // How commands ended.
        """
        ALTER TABLE tasks ADD COLUMN exit_code INTEGER;
        ALTER TABLE tasks ADD COLUMN note TEXT NOT NULL DEFAULT '';
        """,
        // What can be deployed.
        """
        CREATE TABLE files (
            digest TEXT PRIMARY KEY,
            name TEXT NOT NULL,
            size_bytes INTEGER NOT NULL,
            uploaded_at INTEGER NOT NULL
        ) STRICT;
        """,
        // Jobs that go from node to node by a plan, and try again.
        """
        ALTER TABLE jobs ADD COLUMN rollout TEXT;
        ALTER TABLE jobs ADD COLUMN retry TEXT;
        ALTER TABLE jobs ADD COLUMN paused INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE jobs ADD COLUMN note TEXT NOT NULL DEFAULT '';
        ALTER TABLE jobs ADD COLUMN retry_of TEXT;
        ALTER TABLE tasks ADD COLUMN position INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE tasks ADD COLUMN retries INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE tasks ADD COLUMN retry_at INTEGER;
        CREATE INDEX tasks_open_by_job ON tasks (job_id) WHERE ended_at IS NULL;
        """,
        // Jobs that begin at a time, and schedules that make them. A schedule's run is known by the time that it was due: there is one job
        // for it.
        """
        ALTER TABLE jobs ADD COLUMN not_before INTEGER;
        ALTER TABLE jobs ADD COLUMN begin_by INTEGER;
        ALTER TABLE jobs ADD COLUMN schedule TEXT;
        ALTER TABLE jobs ADD COLUMN due_at INTEGER;
        CREATE UNIQUE INDEX jobs_by_run ON jobs (schedule, due_at);
        CREATE TABLE schedules (
            name TEXT PRIMARY KEY,
            body TEXT NOT NULL,
            seen_until INTEGER NOT NULL
        ) STRICT;
        """,
        // Jobs that come after others.
        """
        ALTER TABLE jobs ADD COLUMN after TEXT;
        """,
        // Jobs are found by how they ended and by their nodes.
        """
        CREATE INDEX tasks_by_node ON tasks (node_id, job_id);
        CREATE INDEX tasks_ended_badly ON tasks (state, job_id) WHERE state IN ('Failed', 'TimedOut', 'Cancelled', 'Skipped');
        """,
        // People with roles. Who had a secret before was an administrator.
        """
        CREATE TABLE people (
            name TEXT PRIMARY KEY,
            role TEXT NOT NULL,
            password TEXT,
            created_at INTEGER NOT NULL
        ) STRICT;
        INSERT INTO people (name, role, created_at) VALUES ('admin', 'Admin', 0);
        ALTER TABLE tokens ADD COLUMN kind TEXT NOT NULL DEFAULT 'Token';
        ALTER TABLE tokens ADD COLUMN owner TEXT REFERENCES people (name) ON DELETE CASCADE;
        ALTER TABLE tokens ADD COLUMN role TEXT NOT NULL DEFAULT 'Admin';
        ALTER TABLE tokens ADD COLUMN last_used_at INTEGER;
        UPDATE tokens SET owner = 'admin', kind = iif(name = 'session', 'Session', 'Token');
        CREATE TABLE audit (
            id INTEGER PRIMARY KEY,
            at INTEGER NOT NULL,
            who TEXT NOT NULL,
            what TEXT NOT NULL,
            subject TEXT NOT NULL,
            refusal TEXT NOT NULL
        ) STRICT;
        """,
        // When tasks came to their states and phases. Whatever sets phase_at is noted, wherever it is done.
        """
        CREATE TABLE task_phases (
            task_id TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
            state TEXT NOT NULL,
            phase TEXT NOT NULL,
            at INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX task_phases_by_task ON task_phases (task_id);
        CREATE TRIGGER task_phases_noted AFTER UPDATE OF phase_at ON tasks WHEN NEW.state <> OLD.state OR NEW.phase <> OLD.phase
        BEGIN
            INSERT INTO task_phases (task_id, state, phase, at) VALUES (NEW.id, NEW.state, NEW.phase, NEW.phase_at);
        END;
        """,
        // Customisation profiles with their secrets, which are locked, and the values that groups (tags) and nodes have for them.
        """
        CREATE TABLE profiles (
            name TEXT PRIMARY KEY,
            body TEXT NOT NULL,
            secrets TEXT NOT NULL
        ) STRICT;
        CREATE TABLE group_values (
            tag TEXT PRIMARY KEY,
            body TEXT NOT NULL
        ) STRICT;
        CREATE TABLE node_values (
            node_id TEXT PRIMARY KEY REFERENCES nodes (id) ON DELETE CASCADE,
            body TEXT NOT NULL
        ) STRICT;
        """,
        // What people are told. It is noted where it happens, whoever does it, and waits until it has arrived.
        """
        CREATE TABLE notices (
            id INTEGER PRIMARY KEY,
            kind TEXT NOT NULL,
            subject TEXT NOT NULL,
            at INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE deliveries (
            id TEXT PRIMARY KEY,
            target TEXT NOT NULL,
            headline TEXT NOT NULL,
            text TEXT NOT NULL,
            body TEXT NOT NULL,
            attempts INTEGER NOT NULL DEFAULT 0,
            next_at INTEGER NOT NULL,
            error TEXT NOT NULL DEFAULT ''
        ) STRICT;
        CREATE TRIGGER notice_job_ended AFTER UPDATE OF ended_at ON tasks
        WHEN OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM tasks WHERE job_id = NEW.job_id AND ended_at IS NULL)
        BEGIN
            INSERT INTO notices (kind, subject, at) VALUES ('JobEnded', NEW.job_id, NEW.ended_at);
        END;
        CREATE TRIGGER notice_job_failing AFTER UPDATE OF ended_at ON tasks
        WHEN OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL AND NEW.state IN ('Failed', 'TimedOut')
            AND NOT EXISTS (SELECT 1 FROM tasks WHERE job_id = NEW.job_id AND id <> NEW.id AND state IN ('Failed', 'TimedOut'))
        BEGIN
            INSERT INTO notices (kind, subject, at) VALUES ('JobFailing', NEW.job_id, NEW.ended_at);
        END;
        CREATE TRIGGER notice_new_board AFTER INSERT ON nodes
        BEGIN
            INSERT INTO notices (kind, subject, at) VALUES ('NewBoard', NEW.id, NEW.first_seen);
        END;
        """,
        // What an image is as one raw file; empty: that cannot be known.
        """
        ALTER TABLE images ADD COLUMN raw_sha256 TEXT;
        """,
        // Jobs whose nodes are chosen when they begin.
        """
        ALTER TABLE jobs ADD COLUMN selector TEXT;
        ALTER TABLE jobs ADD COLUMN chosen_at INTEGER;
        CREATE INDEX jobs_unchosen ON jobs (id) WHERE selector IS NOT NULL AND chosen_at IS NULL;
        """,
        // Places for a system that an image has.
        """
        ALTER TABLE images ADD COLUMN slots INTEGER NOT NULL DEFAULT 1;
        """,
        // A job that is yet to choose its nodes has not ended, whatever tasks it has: its end is told once, with the last task or with the
        // choice.
        """
        DROP TRIGGER notice_job_ended;
        CREATE TRIGGER notice_job_ended AFTER UPDATE OF ended_at ON tasks
        WHEN OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM tasks WHERE job_id = NEW.job_id AND ended_at IS NULL)
            AND NOT EXISTS (SELECT 1 FROM jobs WHERE id = NEW.job_id AND selector IS NOT NULL AND chosen_at IS NULL)
        BEGIN
            INSERT INTO notices (kind, subject, at) VALUES ('JobEnded', NEW.job_id, NEW.ended_at);
        END;
        CREATE TRIGGER notice_job_chosen AFTER UPDATE OF chosen_at ON jobs
        WHEN OLD.chosen_at IS NULL AND NEW.chosen_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM tasks WHERE job_id = NEW.id AND ended_at IS NULL)
        BEGIN
            INSERT INTO notices (kind, subject, at) VALUES ('JobEnded', NEW.id, NEW.chosen_at);
        END;
        """,
        // A node is a key. Certificates that were given out before are known by their number until the node has come with one; boards that
        // only enrolled were
        // approved by nobody: those of which a person has said nothing are strangers again, the others wait for a key.
        """
        ALTER TABLE nodes ADD COLUMN key TEXT;
        ALTER TABLE nodes ADD COLUMN previous_key TEXT;
        ALTER TABLE nodes ADD COLUMN key_seen INTEGER NOT NULL DEFAULT 1;
        ALTER TABLE nodes ADD COLUMN key_at INTEGER;
        ALTER TABLE nodes ADD COLUMN key_by TEXT NOT NULL DEFAULT '';
        DELETE FROM nodes WHERE lifecycle = 'New' AND tags = '' AND note = '' AND location = '' AND acknowledged_at IS NULL
            AND NOT EXISTS (SELECT 1 FROM tasks WHERE node_id = nodes.id) AND NOT EXISTS (SELECT 1 FROM node_values WHERE node_id = nodes.id);
        UPDATE nodes SET certificate_serial = NULL, previous_serial = NULL WHERE lifecycle = 'New';
        ALTER TABLE nodes DROP COLUMN new_key;
        CREATE UNIQUE INDEX nodes_by_key ON nodes (key);
        CREATE TABLE revoked_keys (
            key TEXT PRIMARY KEY,
            until INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        DROP TRIGGER notice_new_board;
        ALTER TABLE notices ADD COLUMN text TEXT NOT NULL DEFAULT '';
        """,
        // What is in an image is its owner's business, unless he says otherwise.
        """
        ALTER TABLE images ADD COLUMN public INTEGER NOT NULL DEFAULT 0;
        """,
        // A credential knows what made it, and goes with it. Sessions and links from before may be worth more than what made them: they
        // end.
        """
        DELETE FROM tokens WHERE kind <> 'Token';
        ALTER TABLE tokens ADD COLUMN parent TEXT REFERENCES tokens (hash) ON DELETE CASCADE;
        ALTER TABLE tokens ADD COLUMN made_by TEXT REFERENCES people (name) ON DELETE CASCADE;
        CREATE INDEX tokens_by_parent ON tokens (parent);
        CREATE INDEX tokens_by_owner ON tokens (owner);
        CREATE INDEX tokens_by_maker ON tokens (made_by);
        CREATE INDEX audit_of_strangers ON audit (id) WHERE who = '';
        """,
        // Whether an image can be installed is found out when it is imported; of those from before, when the appliance starts. Empty: it
        // can.
        """
        ALTER TABLE images ADD COLUMN fault TEXT;
        """,
        // A board is found by the MACs of its own interfaces, and not by those of its neighbours, which its inventory names as well.
        """
        CREATE TABLE node_macs (
            mac TEXT NOT NULL,
            node_id TEXT NOT NULL REFERENCES nodes (id) ON DELETE CASCADE,
            PRIMARY KEY (mac, node_id)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX node_macs_by_node ON node_macs (node_id);
        INSERT OR IGNORE INTO node_macs (mac, node_id)
            SELECT value ->> '$.mac', nodes.id FROM nodes, json_each(nodes.inventory, '$.interfaces') WHERE value ->> '$.mac' IS NOT NULL;
        """,
        // What a node was before an installation was sent to it, so that it is that again where nothing was written. Nodes whose
        // installation ended and that still count as being installed are what the last installation that wrote has left.
        """
        ALTER TABLE tasks ADD COLUMN lifecycle_before TEXT;
        CREATE TEMP TABLE known AS SELECT n.id AS node, coalesce(
            (SELECT t.disk FROM tasks t WHERE t.node_id = n.id AND t.disk IN ('Unbootable', 'Installed') ORDER BY t.phase_at DESC LIMIT 1),
            iif(n.image IS NULL, 'New', 'Installed')) AS lifecycle
        FROM nodes n WHERE n.lifecycle = 'Installing';
        UPDATE tasks SET lifecycle_before = known.lifecycle FROM known
        WHERE known.node = tasks.node_id AND tasks.ended_at IS NULL AND tasks.attempts > 0;
        UPDATE nodes SET lifecycle = known.lifecycle FROM known WHERE known.node = nodes.id
            AND NOT EXISTS (SELECT 1 FROM tasks WHERE node_id = nodes.id AND state IN ('Sent', 'Running') AND attempts > 0);
        DROP TABLE known;
        """,
        // The history of jobs outlives nodes that are forgotten. Only what the table says of itself changes, and no row: SQLite's way to
        // take a constraint away (sqlite.org, ALTER TABLE, "Making Other Kinds Of Table Schema Changes").
        """
        ALTER TABLE tasks ADD COLUMN node_name TEXT;
        PRAGMA writable_schema = ON;
        UPDATE sqlite_schema SET sql = replace(sql, 'node_id TEXT NOT NULL REFERENCES nodes (id) ON DELETE CASCADE', 'node_id TEXT NOT NULL')
        WHERE type = 'table' AND name = 'tasks';
        PRAGMA writable_schema = RESET;
        CREATE INDEX tasks_of_forgotten ON tasks (node_name, job_id) WHERE node_name IS NOT NULL;
        """,
        // What is wrong with nodes: of a node and a rule the newest. Those that are to be told of it hear which nodes these are.
        """
        CREATE TABLE alerts (
            node_id TEXT NOT NULL REFERENCES nodes (id) ON DELETE CASCADE,
            rule TEXT NOT NULL,
            value REAL NOT NULL,
            part TEXT NOT NULL,
            started_at INTEGER NOT NULL,
            ended_at INTEGER,
            times INTEGER NOT NULL DEFAULT 1,
            told INTEGER NOT NULL DEFAULT 0,
            muted TEXT NOT NULL DEFAULT '',
            PRIMARY KEY (node_id, rule)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX alerts_open ON alerts (node_id) WHERE ended_at IS NULL;
        CREATE INDEX alerts_untold ON alerts (node_id) WHERE ended_at IS NOT NULL AND told = 1;
        ALTER TABLE notices ADD COLUMN data TEXT NOT NULL DEFAULT '';
        """,
        // What was measured outlives the node and the job.
        """
        CREATE TABLE benchmark_results (
            task_id TEXT PRIMARY KEY,
            job_id TEXT NOT NULL,
            node_id TEXT NOT NULL,
            node_name TEXT NOT NULL,
            model TEXT NOT NULL,
            kind TEXT NOT NULL,
            request TEXT NOT NULL,
            median REAL NOT NULL,
            mad REAL NOT NULL,
            low REAL NOT NULL,
            high REAL NOT NULL,
            steady INTEGER NOT NULL,
            faults TEXT NOT NULL,
            started_at INTEGER NOT NULL,
            result TEXT NOT NULL
        ) STRICT;
        CREATE INDEX benchmark_results_of_node ON benchmark_results (node_id, request, started_at);
        CREATE INDEX benchmark_results_of_kind ON benchmark_results (kind, started_at);
        """,
        // Which jobs measure before and after another one; against whom the network was measured.
        """
        ALTER TABLE jobs ADD COLUMN also_failed INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE jobs ADD COLUMN node_by_node INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE jobs ADD COLUMN measures TEXT;
        CREATE INDEX jobs_measures ON jobs (measures) WHERE measures IS NOT NULL;
        ALTER TABLE benchmark_results ADD COLUMN peer TEXT NOT NULL DEFAULT '';
        """,
        // The jobs that a board is put through, as JSON.
        """
        CREATE TABLE burn_ins (
            node_id TEXT PRIMARY KEY REFERENCES nodes (id) ON DELETE CASCADE,
            set_name TEXT NOT NULL,
            jobs TEXT NOT NULL,
            started_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        """,
        // Names, for the features above their owners'. What happens to tasks is noted by the code that makes it happen.
        """
        CREATE VIEW node_names AS SELECT id, name FROM nodes;
        CREATE VIEW image_names AS SELECT digest, name FROM images;
        DROP TRIGGER task_phases_noted;
        DROP TRIGGER notice_job_ended;
        DROP TRIGGER notice_job_failing;
        DROP TRIGGER notice_job_chosen;
        """,
    ];

    /// <summary>The steps of the appliance's own database.</summary>
    public static IReadOnlyList<string> Steps => s_steps;

    public static void Migrate(SqliteConnection connection) => Migrate(connection, s_steps.Length);

    /// <summary>Brings a file to an earlier version than the newest: for those who try how it becomes the newest one.</summary>
    internal static void Migrate(SqliteConnection connection, int steps) => Migrate(connection, s_steps, steps);

    /// <summary>Runs those of some steps that a file lacks.</summary>
    /// <param name="all">The steps that this program knows.</param>
    /// <param name="steps">How many of them the file shall have.</param>
    /// <exception cref="InvalidDataException">A newer program made the file.</exception>
    internal static void Migrate(SqliteConnection connection, IReadOnlyList<string> all, int steps)
    {
        long version = connection.ExecuteScalar<long>("PRAGMA user_version");
        if (version > all.Count)
        {
            throw new InvalidDataException(
                $"the database is of version {version}, this program knows {all.Count}: start the newer program that wrote it");
        }
        for (; version < steps; version++)
        {
            using SqliteTransaction transaction = connection.BeginTransaction();
            connection.Execute(all[(int)version]);
            connection.Execute($"PRAGMA user_version = {version + 1}");
            transaction.Commit();
        }
    }
}
