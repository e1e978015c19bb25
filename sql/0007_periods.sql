-- Periods of any frequency in place of hours; and the naive reference of each forecast, stored as it stood when that was issued.

drop view performance;
drop view latest_predictions;

alter table etl_runs rename column hours_loaded to periods_loaded;
alter table etl_runs rename column hours_missing to periods_missing;
alter table training_runs rename column hours to periods;
alter table checks rename column newest_hour to newest_period;
alter table checks rename column scored_hours to scored_periods;
update checks set verdict = 'too few periods' where verdict = 'too few hours';
-- The seasonal naive; null where its value was missing.
alter table predictions add column naive double precision;

-- What a user would have seen for each period, and how it turned out.

create view latest_predictions as
select series_id, prediction_date, issued_at, prediction, lower, upper, lead, model_version, naive
from (
    select p.*, row_number() over (partition by series_id, prediction_date order by issued_at desc) as newest
    from predictions p
    where issued_at <= prediction_date
) vintages
where newest = 1;

create view performance as
select
    p.series_id,
    p.prediction_date,
    p.prediction,
    p.lower,
    p.upper,
    r.value                              as reality,
    abs(p.prediction - r.value)          as absolute_error,
    r.value between p.lower and p.upper  as covered,
    abs(p.naive - r.value)               as naive_error,
    p.issued_at,
    p.lead,
    p.model_version,
    p.naive
from latest_predictions p
left join reality r on r.series_id = p.series_id and r.reality_date = p.prediction_date;
