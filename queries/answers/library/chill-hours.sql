-- Chill hours per station and winter (November to February, named by its end), from hourly data.
-- $low = 0 {°C}: hours above this temperature in {°C} count
-- $high = 7.2 {°C}: hours up to this temperature in {°C} count
SELECT
    station,
    year(date + INTERVAL 2 MONTH) AS winter,
    count(*) FILTER (air_tmp > $low::double AND air_tmp <= $high::double) AS chill_hours,
    count(air_tmp) AS hours,
    count(*) - count(air_tmp) AS hours_without_value
FROM hourly
WHERE month(date) IN (11, 12, 1, 2)
GROUP BY station, winter
ORDER BY station, winter
