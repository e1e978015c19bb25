-- The whole distribution of a forecast, how live errors have changed its width, and who made it where the champion could not.

drop view performance;
drop view latest_predictions;

-- JSON: level of a quantile -> its value; null where none were asked for.
alter table predictions add column quantiles text;
-- By these factors the errors since the training have changed the distance of the bounds; null: by none.
alter table predictions add column width_below double precision;
alter table predictions add column width_above double precision;
-- Why the champion did not make this forecast; null: it did.
alter table predictions add column fallback text;

create view latest_predictions as
select
    series_id, prediction_date, issued_at, prediction, lower, upper, lead, model_version, naive, quantiles,
    width_below, width_above, fallback
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
    p.naive,
    p.quantiles,
    p.width_below,
    p.width_above,
    p.fallback
from latest_predictions p
left join reality r on r.series_id = p.series_id and r.reality_date = p.prediction_date;
