-- Columns known in the future, as `exogenous` of a series in config.toml names them. What a source restates replaces what it said before.

create table exogenous (
    series_id      text             not null,
    name           text             not null,
    exogenous_date timestamptz      not null,  -- hour start
    value          double precision not null,  -- mean of its points, in the source's unit
    loaded_at      timestamptz      not null,
    primary key (series_id, name, exogenous_date),
    check (value between -1e300 and 1e300)   -- neither NaN nor infinite
);
