-- Hours that are stored and set aside from learning and scoring. A value that comes later than the decision is judged anew.

create table quarantine (
    series_id    text        not null,
    reality_date timestamptz not null,  -- hour start
    set_aside    boolean     not null,  -- false: a person released the hour, and no load sets it aside again
    reason       text        not null,
    decided_at   timestamptz not null,
    primary key (series_id, reality_date)
);
