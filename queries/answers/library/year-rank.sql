-- Each complete year's rank among all years of its station: by ETo, rain and mean temperature.
-- $days = 350: days with ETo that a year needs to take part
SELECT
    station,
    year,
    reference_eto_{mm},
    reference_eto_source,
    rank() OVER (PARTITION BY station ORDER BY reference_eto_{mm} DESC) AS reference_eto_rank,
    precip_{mm},
    rank() OVER (PARTITION BY station ORDER BY precip_{mm} DESC) AS wet_rank,
    air_tmp_avg_{c},
    rank() OVER (PARTITION BY station ORDER BY air_tmp_avg_{c} DESC) AS warm_rank,
    count(*) OVER (PARTITION BY station) AS years
FROM (
    SELECT
        station,
        year(date) AS year,
        round(sum(reference_eto), 2) AS reference_eto_{mm},
        string_agg(DISTINCT reference_eto_source, ' and ' ORDER BY reference_eto_source)
            AS reference_eto_source,
        round(sum(precip), 2) AS precip_{mm},
        round(avg(air_tmp_avg), 2) AS air_tmp_avg_{c}
    FROM daily
    GROUP BY ALL
    HAVING count(reference_eto) >= $days::int
)
ORDER BY station, year
