-- Each complete year's rank among all years of its station: by ETo, rain and mean temperature.
-- $days = 350: days with ETo that a year needs to take part
SELECT
    station,
    year,
    asce_eto_mm,
    rank() OVER (PARTITION BY station ORDER BY asce_eto_mm DESC) AS asce_eto_rank,
    precip_mm,
    rank() OVER (PARTITION BY station ORDER BY precip_mm DESC) AS wet_rank,
    air_tmp_avg_c,
    rank() OVER (PARTITION BY station ORDER BY air_tmp_avg_c DESC) AS warm_rank,
    count(*) OVER (PARTITION BY station) AS years
FROM (
    SELECT
        station,
        year(date) AS year,
        round(sum(asce_eto), 2) AS asce_eto_mm,
        round(sum(precip), 2) AS precip_mm,
        round(avg(air_tmp_avg), 2) AS air_tmp_avg_c
    FROM daily
    GROUP BY ALL
    HAVING count(asce_eto) >= $days::int
)
ORDER BY station, year
