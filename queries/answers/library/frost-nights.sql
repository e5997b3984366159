-- Nights with frost per station and season (July to June, named by its end), the first and the last.
-- $threshold = 0 {°C}: minimum air temperature in {°C} at or below which a night counts
SELECT
    station,
    year(date + INTERVAL 6 MONTH) AS season,
    count(*) FILTER (air_tmp_min <= $threshold::double) AS frost_nights,
    min(date) FILTER (air_tmp_min <= $threshold::double) AS first_frost,
    max(date) FILTER (air_tmp_min <= $threshold::double) AS last_frost,
    min(air_tmp_min) AS coldest_{c},
    count(air_tmp_min) AS nights
FROM daily
GROUP BY station, season
ORDER BY station, season
