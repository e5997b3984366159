-- The latest stored day of each station, and its newest ETo, rain and mean temperature.
SELECT
    station,
    max(date) AS date,
    arg_max(asce_eto, date) FILTER (asce_eto IS NOT NULL) AS asce_eto_mm,
    max(date) FILTER (asce_eto IS NOT NULL) AS asce_eto_date,
    arg_max(precip, date) FILTER (precip IS NOT NULL) AS precip_mm,
    arg_max(air_tmp_avg, date) FILTER (air_tmp_avg IS NOT NULL) AS air_tmp_avg_c
FROM daily
GROUP BY station
ORDER BY station
