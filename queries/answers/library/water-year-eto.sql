-- Reference ETo and rain ({mm}) per station and water year (October to September, named by its end).
-- $start = 1900-01-01: first day
-- $end = 2100-12-31: last day
SELECT
    station,
    year(date + INTERVAL 3 MONTH) AS water_year,
    round(sum(reference_eto), 2) AS reference_eto_{mm},
    string_agg(DISTINCT reference_eto_source, ' and ' ORDER BY reference_eto_source)
        AS reference_eto_source,
    round(sum(precip), 2) AS precip_{mm},
    count(reference_eto) AS days,
    365 + (date_part('day', make_date(water_year, 3, 1) - INTERVAL 1 DAY) = 29)::int - count(reference_eto)
        AS days_missing
FROM daily
WHERE date BETWEEN $start::date AND $end::date
GROUP BY station, water_year
ORDER BY station, water_year
