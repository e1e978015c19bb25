-- The tables, the same on PostgreSQL and SQLite. Times are UTC; an hour is named by its start.

create table reality (
    series_id    text             not null,
    reality_date timestamptz      not null,  -- hour start
    value        double precision not null,  -- in the series' unit
    samples      integer          not null,  -- raw points the hour was built from
    loaded_at    timestamptz      not null,
    primary key (series_id, reality_date),
    check (value between -1e300 and 1e300)   -- neither NaN nor infinite
);

create table predictions (
    series_id       text             not null,
    prediction_date timestamptz      not null,  -- the hour that is forecast
    issued_at       timestamptz      not null,  -- together the rows of one issued_at are one vintage
    prediction      double precision not null,
    lower           double precision not null,
    upper           double precision not null,
    lead            integer          not null,  -- hours after the last observed hour, from 1
    model_version   text             not null,
    primary key (series_id, prediction_date, issued_at),
    check (prediction between -1e300 and 1e300)
);
create index predictions_by_vintage on predictions (series_id, issued_at);

create table etl_runs (
    run_id          text        not null primary key,
    series_id       text        not null,
    started_at      timestamptz not null,
    finished_at     timestamptz not null,
    points_read     integer     not null,
    points_rejected integer     not null,
    hours_loaded    integer     not null,  -- new or changed
    hours_missing   integer     not null,  -- inside the span read, with too few points
    outcome         text        not null,  -- loaded | nothing new | failed
    message         text        not null
);
create index etl_runs_by_start on etl_runs (series_id, started_at);

create table training_runs (
    run_id           text        not null primary key,
    series_id        text        not null,
    started_at       timestamptz not null,
    finished_at      timestamptz not null,
    window_start     timestamptz not null,
    window_end       timestamptz not null,
    hours            integer     not null,
    leaderboard      text        not null,  -- JSON: candidates with their scores
    champion         text        not null,  -- JSON: who serves after this run, and its score on the gate's hours
    challenger       text        not null,  -- JSON: the best candidate, and its score on the same hours
    verdict          text        not null,  -- promoted | kept
    reason           text        not null,
    git_sha          text,
    library_versions text        not null,  -- JSON
    settings         text        not null   -- JSON
);
create index training_runs_by_start on training_runs (series_id, started_at);

create table checks (
    series_id     text        not null,
    checked_at    timestamptz not null,
    verdict       text        not null,  -- good | watch | retrain | wait | too few hours | alarm
    bad           boolean     not null,  -- this look alone
    newest_hour   timestamptz,           -- newest scored hour: looks at the same hours count once
    reasons       text        not null,  -- JSON: list of sentences
    scored_hours  integer     not null,
    mae           double precision,
    reference_mae double precision,      -- the champion's own backtest error at the same leads
    naive_mae     double precision,      -- same hour one week earlier, on the same hours
    dispatched    boolean     not null,
    primary key (series_id, checked_at)
);
