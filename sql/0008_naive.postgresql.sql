-- Forecasts from before had the same hour one week earlier as their reference. The twin for SQLite differs in the date arithmetic only.

update predictions set naive = (
    select week.value from reality week
    where week.series_id = predictions.series_id and week.reality_date = predictions.prediction_date - interval '168 hours'
);
