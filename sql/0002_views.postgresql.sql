-- What a user would have seen for each hour, and how it turned out. The twin for SQLite differs in the date arithmetic only.

create view latest_predictions as
select series_id, prediction_date, issued_at, prediction, lower, upper, lead, model_version
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
    abs(week.value - r.value)            as naive_error,  -- same hour one week earlier
    p.issued_at,
    p.lead,
    p.model_version
from latest_predictions p
left join reality r on r.series_id = p.series_id and r.reality_date = p.prediction_date
left join reality week on week.series_id = p.series_id and week.reality_date = p.prediction_date - interval '168 hours';
