-- The latest stored day of each station, with its main values.
SELECT
    station,
    max(date) AS date,
    arg_max(asce_eto, date) FILTER (asce_eto IS NOT NULL) AS asce_eto_mm,
    max(date) FILTER (asce_eto IS NOT NULL) AS asce_eto_date,
    arg_max(air_tmp_avg, date) FILTER (air_tmp_avg IS NOT NULL) AS air_tmp_avg_c,
    arg_max(air_tmp_max, date) FILTER (air_tmp_max IS NOT NULL) AS air_tmp_max_c,
    arg_max(air_tmp_min, date) FILTER (air_tmp_min IS NOT NULL) AS air_tmp_min_c,
    arg_max(precip, date) FILTER (precip IS NOT NULL) AS precip_mm
FROM daily
GROUP BY station
ORDER BY station
