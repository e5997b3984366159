-- The latest stored day of each station, and its newest ETo, rain and mean temperature.
SELECT
    station,
    max(date) AS date,
    arg_max(reference_eto, date) FILTER (reference_eto IS NOT NULL) AS reference_eto_{mm},
    arg_max(reference_eto_source, date) FILTER (reference_eto IS NOT NULL) AS reference_eto_source,
    max(date) FILTER (reference_eto IS NOT NULL) AS reference_eto_date,
    arg_max(precip, date) FILTER (precip IS NOT NULL) AS precip_{mm},
    arg_max(air_tmp_avg, date) FILTER (air_tmp_avg IS NOT NULL) AS air_tmp_avg_{c}
FROM daily
GROUP BY station
ORDER BY station
