-- Forecasts from before had the same hour one week earlier as their reference. The twin for PostgreSQL differs in the date arithmetic only.

update predictions set naive = (
    select week.value from reality week
    where week.series_id = predictions.series_id and week.reality_date = strftime('%Y-%m-%dT%H:%M:%SZ', predictions.prediction_date, '-168 hours')
);
