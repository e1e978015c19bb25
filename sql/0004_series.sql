-- Series beside those of config.toml, for hundreds and thousands: one row has what a [series.NAME] table has.

create table series (
    series_id text not null primary key,  -- letters, digits, - and _
    settings  text not null               -- JSON object with the keys of a [series.NAME] table
);
