-- What people have noted about a moment of a series, for the charts of the page.

create table annotations (
    series_id text        not null,
    noted_for timestamptz not null,  -- the moment that the note is about
    note      text        not null,
    noted_at  timestamptz not null,
    primary key (series_id, noted_for, note)
);
