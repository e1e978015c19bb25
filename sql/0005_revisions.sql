-- What hours were worth before a newer value replaced them: by late points, or by a source that corrects itself.

create table revisions (
    series_id    text             not null,
    reality_date timestamptz      not null,
    value        double precision not null,  -- the one that was replaced
    samples      integer          not null,  -- raw points it was built from
    replaced_at  timestamptz      not null,
    primary key (series_id, reality_date, replaced_at)
);
