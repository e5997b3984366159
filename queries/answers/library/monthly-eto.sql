-- Reference ETo and rain ({mm}) per station and month, with the days counted and missing.
-- $start = 1900-01-01: first day
-- $end = 2100-12-31: last day
SELECT
    station,
    date_trunc('month', date)::date AS month,
    round(sum(reference_eto), 2) AS reference_eto_{mm},
    string_agg(DISTINCT reference_eto_source, ' and ' ORDER BY reference_eto_source)
        AS reference_eto_source,
    round(sum(precip), 2) AS precip_{mm},
    count(reference_eto) AS days,
    date_diff('day', date_trunc('month', any_value(date)), date_trunc('month', any_value(date)) + INTERVAL 1 MONTH)
        - count(reference_eto) AS days_missing
FROM daily
WHERE date BETWEEN $start::date AND $end::date
GROUP BY station, date_trunc('month', date)
ORDER BY station, month
