"""Synthetic logs in the manner of services' exports and of people's own, with their true runs.

Headers are those of the services; every run is made up. ``python tests/logs/service_exports.py FOLDER``
writes them all.
"""

from __future__ import annotations

import csv
import io
import random
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

MILE = 1.609344


def made_up_runs(number: int = 40, seed: int = 1) -> list[tuple[datetime, float, float]]:
    """Return start, kilometres and minutes of runs."""
    generator, start, runs = random.Random(seed), datetime(2023, 1, 2, 7, 30), []
    for index in range(number):
        km = round(generator.uniform(4, 16), 2)
        minutes = round(km * 5.5 * generator.uniform(0.92, 1.1) * 60) / 60
        shift = timedelta(
            days=2 * index + (index % 3 == 0),
            minutes=generator.randrange(0, 200),
            seconds=generator.randrange(60),
        )
        runs.append((start + shift, km, minutes))
    return runs


def hms(minutes: float, full: bool = True) -> str:
    """Return a duration as hh:mm:ss, or as short as it can be."""
    hours, seconds = divmod(round(minutes * 60), 3600)
    whole, seconds = divmod(seconds, 60)
    if full:
        return f"{hours:02d}:{whole:02d}:{seconds:02d}"
    return f"{hours}:{whole:02d}:{seconds:02d}" if hours else f"{whole}:{seconds:02d}"


def table(
    header: str | Sequence[str], rows: Iterable[Sequence[object]], delimiter: str = ","
) -> str:
    """Return a table as CSV; the names in a header of one string stand between bars."""
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter)
    writer.writerow(header.split("|") if isinstance(header, str) else header)
    writer.writerows(rows)
    return file.getvalue()


R = made_up_runs()
# A ride and a walk among them.
W = [(R[3][0] + timedelta(hours=10), 20.5, 55.0), (R[9][0] + timedelta(hours=9), 3.1, 36.0)]
X: dict[str, str | bytes] = {}


def garmin(lang, head, run, bike, miles=False, dec="."):
    k = MILE if miles else 1
    rows = []
    for i, (t, km, m) in enumerate(R + W):
        sp = bike if i == len(R) else run
        d = f"{km / k:.2f}".replace(".", dec)
        rows.append(
            [
                sp,
                t.strftime("%Y-%m-%d %H:%M:%S"),
                "false",
                "x, y",
                d,
                f"{1024 + i:,}",
                hms(m),
                "150",
                "170",
                "3.2",
                "168",
                "180",
                hms(m / km * k, False)[:5],
                "4:00",
                "120",
                "130",
                "1.0%d" % (i % 10),
                "--",
                hms(m) + ".5",
                hms(m + 1),
            ]
        )
    X[lang] = table(head, rows[:-1])


garmin(
    "garmin_en",
    "Activity Type|Date|Favorite|Title|Distance|Calories|Time|Avg HR|Max HR|Aerobic TE|Avg Run Cadence|Max Run Cadence|Avg Pace|Best Pace|Total Ascent|Total Descent|Avg Stride Length|Best Lap Time|Moving Time|Elapsed Time",
    "Running",
    "Cycling",
)
garmin(
    "garmin_en_miles",
    "Activity Type|Date|Favorite|Title|Distance|Calories|Time|Avg HR|Max HR|Aerobic TE|Avg Run Cadence|Max Run Cadence|Avg Pace|Best Pace|Total Ascent|Total Descent|Junk|Best Lap Time|Moving Time|Elapsed Time",
    "Running",
    "Cycling",
    True,
)
garmin(
    "garmin_de",
    "Aktivitätstyp|Datum|Favorit|Titel|Distanz|Kalorien|Zeit|Ø HF|Max. HF|Aerober TE|Ø Schrittfrequenz (Laufen)|Max. Schrittfrequenz (Laufen)|Ø Pace|Beste Pace|Positiver Höhenunterschied|Negativer Höhenunterschied|Ø Schrittlänge|Beste Rundenzeit|Zeit in Bewegung|Verstrichene Zeit",
    "Laufen",
    "Radfahren",
    dec=",",
)
garmin(
    "garmin_fr",
    "Type d'activité|Date|Favori|Titre|Distance|Calories|Durée|Fréquence cardiaque moyenne|Fréquence cardiaque maximale|TE aérobie|Cadence de course moyenne|Cadence de course maximale|Allure moyenne|Meilleure allure|Ascension totale|Descente totale|Longueur moyenne des foulées|Meilleur temps|Temps de déplacement|Temps écoulé",
    "Course à pied",
    "Cyclisme",
)
garmin(
    "garmin_es",
    "Tipo de actividad|Fecha|Favorito|Título|Distancia|Calorías|Tiempo|Frecuencia cardiaca media|FC máxima|TE aeróbico|Cadencia de carrera media|Cadencia de carrera máxima|Ritmo medio|Ritmo óptimo|Ascenso total|Descenso total|Longitud media de zancada|Mejor|Tiempo en movimiento|Tiempo transcurrido",
    "Carrera",
    "Ciclismo",
    dec=",",
)
garmin(
    "garmin_it",
    "Tipo di attività|Data|Preferito|Titolo|Distanza|Calorie|Tempo|FC Media|FC max|TE aerobico|Cadenza di corsa media|Cadenza max|Passo medio|Passo migliore|Ascesa totale|Discesa totale|Lunghezza media passo|Miglior|Tempo in movimento|Tempo trascorso",
    "Corsa",
    "Ciclismo",
)
garmin(
    "garmin_pt",
    "Tipo de atividade|Data|Favorito|Título|Distância|Calorias|Tempo|FC Média|FC máxima|TE aeróbico|Cadência|Cadência máx|Ritmo médio|Melhor ritmo|Subida total|Descida total|Comp|Melhor|Tempo em movimento|Tempo decorrido",
    "Corrida",
    "Ciclismo",
)
garmin(
    "garmin_nl",
    "Activiteittype|Datum|Favoriet|Titel|Afstand|Calorieën|Tijd|Gem. HS|Max. HS|Aerobe TE|Gem. cadans|Max. cadans|Gemiddeld tempo|Beste tempo|Totale stijging|Totale daling|Gem. staplengte|Beste|Beweegtijd|Verstreken tijd",
    "Hardlopen",
    "Fietsen",
    dec=",",
)
garmin(
    "garmin_da",
    "Aktivitetstype|Dato|Favorit|Titel|Distance|Kalorier|Tid|Gns. puls|Maks. puls|Aerob TE|Gns. kadence|Maks kadence|Gennemsnitstempo|Bedste tempo|Samlet stigning|Samlet fald|Gns. skridtlængde|Bedste|Tid i bevægelse|Forløbet tid",
    "Løb",
    "Cykling",
)
garmin(
    "garmin_no",
    "Aktivitetstype|Dato|Favoritt|Tittel|Distanse|Kalorier|Tid|Gj.snittlig puls|Maks. puls|Aerob TE|kadens|Maks|Gjennomsnittstempo|Beste tempo|Total stigning|Totalt fall|Skrittlengde|Beste|Tid i bevegelse|Medgått tid",
    "Løping",
    "Sykling",
)
garmin(
    "garmin_sv",
    "Aktivitetstyp|Datum|Favorit|Titel|Distans|Kalorier|Tid|Medelpuls|Maxpuls|Aerob TE|kadens|Max|Genomsnittligt tempo|Bästa tempo|Total stigning|Total nedstigning|Steglängd|Bästa|Tid i rörelse|Förfluten tid",
    "Löpning",
    "Cykling",
    dec=",",
)
garmin(
    "garmin_pl",
    "Typ aktywności|Data|Ulubione|Tytuł|Dystans|Kalorie|Czas|Średnie tętno|Maks. tętno|TE aerobowy|Rytm|Maks|Średnie tempo|Najlepsze tempo|Całkowity wznios|Spadek|Długość kroku|Najlepszy|Czas ruchu|Upłynięty czas",
    "Bieganie",
    "Kolarstwo",
    dec=",",
)
S = [
    "Activity ID",
    "Activity Date",
    "Activity Name",
    "Activity Type",
    "Activity Description",
    "Elapsed Time",
    "Distance",
    "Max Heart Rate",
    "Relative Effort",
    "Commute",
    "Activity Private Note",
    "Activity Gear",
    "Filename",
    "Athlete Weight",
    "Bike Weight",
    "Elapsed Time",
    "Moving Time",
    "Distance",
    "Max Speed",
    "Average Speed",
    "Elevation Gain",
]


def strava(miles=False, first_km=True):
    rows = []
    for i, (t, km, m) in enumerate(R + W):
        k = MILE if miles else 1
        rows.append(
            [
                7000 + i,
                t.strftime("%b %-d, %Y, %-I:%M:%S %p"),
                "Morning",
                "Run" if i < len(R) else ("Ride" if i == len(R) else "Walk"),
                'a\nb "q"' if i == 2 else "",
                round(m * 60 + 120),
                f"{km / k:.2f}",
                "170.0",
                "50",
                "false",
                "",
                "",
                f"activities/{i}.fit.gz",
                "70",
                "",
                round(m * 60 + 120) * 1.0,
                m * 60,
                km * 1000,
                "5.5",
                km * 1000 / (m * 60),
                "100",
            ]
        )
    return table(S, rows)


X["strava"] = strava()
X["strava_miles"] = strava(True)
X["strava_old"] = table(
    "Activity ID|Activity Date|Activity Name|Activity Type|Elapsed Time|Distance|Commute|Filename",
    [
        [
            i,
            t.strftime("%b %-d, %Y, %-I:%M:%S %p"),
            "x",
            "Run",
            round(m * 60),
            f"{km:.2f}",
            "false",
            "a",
        ]
        for i, (t, km, m) in enumerate(R)
    ],
)


def strava_lang(head, run, mon):
    rows = [
        [
            7000 + i,
            mon(t),
            "Morning",
            run,
            "",
            round(m * 60 + 120),
            f"{km:.2f}".replace(".", ","),
            "170",
            "50",
            "false",
            "",
            "",
            "f",
            "70",
            "",
            round(m * 60 + 120),
            m * 60,
            f"{km * 1000:.1f}",
            "5.5",
            "3",
            "100",
        ]
        for i, (t, km, m) in enumerate(R)
    ]
    return table(head.split(","), rows)


DE = [
    "Jan.",
    "Feb.",
    "März",
    "Apr.",
    "Mai",
    "Juni",
    "Juli",
    "Aug.",
    "Sept.",
    "Okt.",
    "Nov.",
    "Dez.",
]
X["strava_de"] = strava_lang(
    "Aktivitäts-ID,Aktivitätsdatum,Name der Aktivität,Aktivitätsart,Aktivitätsbeschreibung,Verstrichene Zeit,Distanz,Max. Herzfrequenz,Relative Leistung,Pendelfahrt,Notiz,Ausrüstung,Dateiname,Gewicht,Rad,Verstrichene Zeit,Bewegungszeit,Distanz,Max. Geschwindigkeit,Durchschnittsgeschwindigkeit,Höhenzunahme",
    "Lauf",
    lambda t: f"{t.day:02d}.{t.month:02d}.{t.year}, {t:%H:%M:%S}",
)
FR = [
    "janv.",
    "févr.",
    "mars",
    "avr.",
    "mai",
    "juin",
    "juil.",
    "août",
    "sept.",
    "oct.",
    "nov.",
    "déc.",
]
X["strava_fr"] = strava_lang(
    "ID de l'activité,Date de l'activité,Nom de l'activité,Type d'activité,Description,Temps écoulé,Distance,FC max,Effort,Trajet,Note,Matériel,Fichier,Poids,Vélo,Temps écoulé,Durée de déplacement,Distance,Vitesse max,Vitesse moyenne,Dénivelé",
    "Course à pied",
    lambda t: f"{t.day} {FR[t.month - 1]} {t.year} à {t:%H:%M:%S}",
)
ES = ["ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sept", "oct", "nov", "dic"]
X["strava_es"] = strava_lang(
    "ID de actividad,Fecha de la actividad,Nombre de la actividad,Tipo de actividad,Descripción,Tiempo transcurrido,Distancia,FC máx,Esfuerzo,Desplazamiento,Nota,Equipo,Archivo,Peso,Bici,Tiempo transcurrido,Tiempo en movimiento,Distancia,Velocidad máx,Velocidad media,Desnivel",
    "Carrera",
    lambda t: f"{t.day} {ES[t.month - 1]} {t.year}, {t:%H:%M:%S}",
)
X["runkeeper_km"] = table(
    "Activity Id|Date|Type|Route Name|Distance (km)|Duration|Average Pace|Average Speed (km/h)|Calories Burned|Climb (m)|Average Heart Rate (bpm)|Friend's Tagged|Notes|GPX File",
    [
        [
            f"b2-{i}",
            t.strftime("%Y-%m-%d %H:%M:%S"),
            "Running" if i < len(R) else "Cycling",
            "",
            km,
            hms(m, False),
            hms(m / km, False),
            f"{km / m * 60:.2f}",
            "245.0",
            "10",
            "150",
            "",
            "",
            "",
        ]
        for i, (t, km, m) in enumerate(R + W[:1])
    ],
)
X["runkeeper_mi"] = table(
    "Activity Id|Date|Type|Route Name|Distance (mi)|Duration|Average Pace|Average Speed (mph)|Calories Burned|Climb (ft)|Average Heart Rate (bpm)|Notes",
    [
        [
            f"b2-{i}",
            t.strftime("%Y-%m-%d %H:%M:%S"),
            "Running",
            "",
            f"{km / MILE:.2f}",
            hms(m, False),
            hms(m / km * MILE, False),
            "7",
            "245.0",
            "10",
            "",
            "",
        ]
        for i, (t, km, m) in enumerate(R)
    ],
)
X["mapmyrun"] = table(
    "Date Submitted|Workout Date|Activity Type|Calories Burned (kCal)|Distance (mi)|Workout Time (seconds)|Avg Pace (min/mi)|Max Pace (min/mi)|Avg Speed (mi/h)|Max Speed (mi/h)|Avg Heart Rate|Steps|Notes|Source|Link",
    [
        [
            (t + timedelta(days=30)).strftime("%B %-d, %Y"),
            t.strftime("%B %-d, %Y"),
            "Run" if i < len(R) else "Road Cycling",
            "582",
            f"{km / MILE:.5f}",
            round(m * 60),
            f"{m / km * MILE:.5f}",
            "7.5",
            "7.07",
            "7.9",
            "146",
            "5658",
            "x",
            "Map",
            "",
        ]
        for i, (t, km, m) in enumerate(R + W[:1])
    ],
)
X["trainingpeaks"] = table(
    "Title|WorkoutType|WorkoutDescription|PlannedDuration|PlannedDistanceInMeters|WorkoutDay|CoachComments|DistanceInMeters|PowerAverage|PowerMax|Energy|AthleteComments|TimeTotalInHours|VelocityAverage|VelocityMax|CadenceAverage|HeartRateAverage|TSS|IF|HRZone1Minutes",
    [
        [
            "Run",
            "Run" if i < len(R) else "Bike",
            "Easy, 5 x 1'",
            "1",
            "10000",
            t.strftime("%Y-%m-%d"),
            "",
            f"{km * 1000:.1f}",
            "",
            "",
            "",
            "a\nb",
            f"{m / 60:.6f}",
            f"{km * 1000 / m / 60:.4f}",
            "4",
            "84",
            "150",
            "60",
            "0.8",
            "20",
        ]
        for i, (t, km, m) in enumerate(R + W[:1])
    ]
    + [
        [
            "Planned",
            "Run",
            "",
            "1",
            "9000",
            "2023-07-01",
            "",
            "",
            "",
            "",
            "",
            "",
            "",
            "",
            "",
            "",
            "",
            "",
            "",
            "",
        ]
    ],
)
X["runalyze"] = table(
    "id|date|time|sport|type|distance|duration|elapsed_time|elevation|heart rate",
    [
        [
            i,
            t.strftime("%d.%m.%Y"),
            t.strftime("%H:%M"),
            "Laufen",
            "DL",
            f"{km:.2f}",
            round(m * 60),
            round(m * 60 + 100),
            "100",
            "150",
        ]
        for i, (t, km, m) in enumerate(R)
    ],
    ";",
)
X["smashrun"] = table(
    "activityId|startDateTimeLocal|distance|duration|cadenceAverage|heartRateAverage|notes|activityType",
    [
        [
            i,
            t.strftime("%Y-%m-%dT%H:%M:%S-05:00"),
            f"{km:.5f}",
            round(m * 60),
            "80",
            "150",
            "",
            "running",
        ]
        for i, (t, km, m) in enumerate(R)
    ],
)
X["intervals"] = table(
    "id|start_date_local|type|moving_time|distance|elapsed_time|total_elevation_gain|average_speed|max_speed|average_heartrate|icu_training_load",
    [
        [
            f"i{i}",
            t.strftime("%Y-%m-%dT%H:%M:%S"),
            "Run" if i < len(R) else "Ride",
            round(m * 60),
            f"{km * 1000:.2f}",
            round(m * 60) + 60,
            "100",
            f"{km * 1000 / m / 60:.3f}",
            "5",
            "150",
            "60",
        ]
        for i, (t, km, m) in enumerate(R + W[:1])
    ],
)
X["nike"] = table(
    "Date|Distance (km)|Duration|Average Pace|Calories|Type",
    [
        [t.strftime("%m/%d/%Y"), f"{km}", hms(m), hms(m / km, False), "500", "Run"]
        for i, (t, km, m) in enumerate(R)
    ],
)
X["endomondo"] = table(
    "Sport|Start time|Duration|Distance (km)|Calories|Avg. heart rate|Message",
    [
        [
            "Running" if i < len(R) else "Cycling, sport",
            t.strftime("%Y-%m-%d %H:%M:%S UTC"),
            hms(m),
            km,
            "500",
            "150",
            "",
        ]
        for i, (t, km, m) in enumerate(R + W[:1])
    ],
)
X["sporttracks"] = table(
    "Date|Time|Day|Category|Distance (km)|Time|Avg. Pace (min/km)|Notes",
    [
        [
            t.strftime("%d/%m/%Y"),
            t.strftime("%H:%M"),
            t.strftime("%A"),
            "Running",
            f"{km}",
            hms(m),
            hms(m / km, False),
            "",
        ]
        for i, (t, km, m) in enumerate(R)
    ],
)
X["fetch"] = table(
    "Date|Type|Distance|Unit|Time|Pace|Notes",
    [
        [t.strftime("%d/%m/%Y"), "Training", f"{km / MILE:.2f}", "miles", hms(m), "", ""]
        for i, (t, km, m) in enumerate(R)
    ],
)
X["runtastic"] = table(
    "Sport Type|Date|Start Time|Duration|Distance (km)|Avg. Pace|Avg. Speed|Calories",
    [
        [
            "Running",
            t.strftime("%m/%d/%Y"),
            t.strftime("%I:%M %p"),
            hms(m),
            f"{km}",
            hms(m / km, False),
            "10",
            "500",
        ]
        for i, (t, km, m) in enumerate(R)
    ],
)
X["coros"] = table(
    "Date|Sport|Name|Distance|Workout Time|Avg Pace|Avg Heart Rate|Calories|Elevation Gain",
    [
        [
            t.strftime("%Y/%m/%d %H:%M"),
            "Run",
            "x",
            f"{km:.2f}km",
            hms(m),
            hms(m / km, False) + "/km",
            "150",
            "500 kcal",
            "100m",
        ]
        for i, (t, km, m) in enumerate(R)
    ],
)
X["suunto"] = table(
    "Activity|Start time|Duration|Distance|Avg HR|Calories|Ascent",
    [
        [
            "Running",
            t.strftime("%d.%m.%Y %H:%M"),
            hms(m),
            f"{km:.2f} km".replace(".", ","),
            "150",
            "500 kcal",
            "100 m",
        ]
        for i, (t, km, m) in enumerate(R)
    ],
    ";",
)
X["apple_health_auto"] = table(
    "Workout Type|Start|End|Duration|Active Energy (kJ)|Max. Heart Rate (bpm)|Avg. Heart Rate (bpm)|Distance (km)|Avg. Speed(km/hr)|Step Count (count)",
    [
        [
            "Outdoor Run" if i < len(R) else "Outdoor Cycling",
            t.strftime("%Y-%m-%d %H:%M"),
            (t + timedelta(minutes=m)).strftime("%Y-%m-%d %H:%M"),
            hms(m),
            "2500",
            "170",
            "150",
            f"{km}",
            f"{km / m * 60:.2f}",
            "8000",
        ]
        for i, (t, km, m) in enumerate(R + W[:1])
    ],
)
X["apple_health_mi"] = table(
    "Type|Start|End|Duration|Total Energy (kcal)|Distance(mi)|Avg Speed(mi/hr)",
    [
        [
            "Running",
            t.strftime("%Y-%m-%d %H:%M"),
            (t + timedelta(minutes=m)).strftime("%Y-%m-%d %H:%M"),
            hms(m),
            "500",
            f"{km / MILE:.3f}",
            "6",
        ]
        for i, (t, km, m) in enumerate(R)
    ],
)
X["apple_simple"] = table(
    "workoutActivityType|duration|durationUnit|totalDistance|totalDistanceUnit|startDate|endDate|sourceName",
    [
        [
            "HKWorkoutActivityTypeRunning" if i < len(R) else "HKWorkoutActivityTypeWalking",
            f"{m:.6f}",
            "min",
            f"{km:.5f}",
            "km",
            t.strftime("%Y-%m-%d %H:%M:%S -0800"),
            (t + timedelta(minutes=m)).strftime("%Y-%m-%d %H:%M:%S -0800"),
            "Watch",
        ]
        for i, (t, km, m) in enumerate(R + W[1:])
    ],
)
X["gcexport"] = table(
    "Start Time|End Time|Activity ID|Activity Name|Description|Location Name|Time Zone|Offset|Duration (h:m:s)|Moving Duration (h:m:s)|Distance (km)|Average Speed (km/h or min/km)|Average Moving Speed (km/h or min/km)|Max. Speed|Activity Parent|Activity Type",
    [
        [
            t.strftime("%Y-%m-%dT%H:%M:%S+01:00"),
            t.strftime("%Y-%m-%dT%H:%M:%S+01:00"),
            i,
            "x",
            "",
            "",
            "Europe",
            "+01:00",
            hms(m + 1),
            hms(m),
            f"{km:.5f}",
            hms(m / km, False),
            hms(m / km, False),
            "",
            "Running",
            "Running",
        ]
        for i, (t, km, m) in enumerate(R)
    ],
)
X["gcexport_old"] = table(
    "Activity ID|Activity Name|Description|Begin Timestamp|Begin Timestamp (Raw Milliseconds)|End Timestamp|Device|Activity Parent|Activity Type|Event Type|Activity Time Zone|Max. Elevation|Average Speed|Distance|Distance (Raw)|Duration|Duration (Raw Seconds)",
    [
        [
            i,
            "x",
            "",
            t.strftime("%a, %b %d, %Y %-I:%M %p"),
            int(t.timestamp() * 1000),
            "",
            "Garmin",
            "Running",
            "Running",
            "Uncategorized",
            "",
            "",
            "",
            f"{km:.2f} km",
            f"{km:.4f}",
            hms(m),
            f"{m * 60:.1f}",
        ]
        for i, (t, km, m) in enumerate(R)
    ],
)
X["polar_list"] = table(
    "Sport|Date|Start time|Duration|Distance (km)|Calories",
    [
        ["RUNNING", t.strftime("%d-%m-%Y"), t.strftime("%H:%M:%S"), hms(m), f"{km}", "500"]
        for i, (t, km, m) in enumerate(R)
    ],
)
h = "Name,Sport,Date,Start time,Duration,Total distance (km),Average heart rate (bpm),Average speed (km/h),Max speed (km/h),Average pace (min/km),Max pace (min/km),Calories,Notes,"
t, km, m = R[0]
X["polar_session"] = (
    h
    + f"\nMe,RUNNING,{t:%d-%m-%Y},{t:%H:%M:%S},{hms(m)},{km},150,10,12,05:30,04:00,500,,\nSample rate,Time,HR (bpm),Speed (km/h),Pace (min/km),Cadence,Altitude (m),Stride length (m),Distances (m),Temperatures (C),Power (W),\n"
    + "".join(f"1,00:00:{i:02d},120,10,06:00,80,100,1.0,{i * 3},,,\n" for i in range(60))
)
X["excel_de"] = (
    "Datum;Strecke;Zeit;Bemerkung\n"
    + "".join(
        f"{t:%d.%m.%Y};{km:.2f};{hms(m)};locker\n".replace(
            f"{km:.2f}", f"{km:.2f}".replace(".", ",")
        )
        for t, km, m in R
    )
).encode("cp1252")
X["diary_fr"] = (
    "Jour;Distance;Durée;Allure;Commentaire\n"
    + "".join(
        f"{t:%d/%m/%Y};{str(km).replace('.', ',')} km;{int(m // 60)}h{int(m % 60):02d};;\n"
        for t, km, m in R
    )
).encode("cp1252")
X["diary_pl"] = (
    "Dzień;Odległość (km);Czas;Średnie tempo\n"
    + "".join(f"{t:%Y-%m-%d};{str(km).replace('.', ',')};{hms(m)};\n" for t, km, m in R)
).encode("cp1250")
X["diary_us_miles"] = table(
    "Date|Miles|Time|Notes",
    [[t.strftime("%-m/%-d/%y"), f"{km / MILE:.1f}", hms(m, False), "x, y"] for t, km, m in R],
)
X["diary_us_bare"] = table(
    "Date|Distance|Time|Notes",
    [[t.strftime("%-m/%-d/%y"), f"{km / MILE:.1f}", hms(m, False), "x, y"] for t, km, m in R],
)
X["diary_pace_only"] = table(
    "Date|Miles|Pace",
    [[t.strftime("%-m/%-d/%Y"), f"{km / MILE:.2f}", hms(m / km * MILE, False)] for t, km, m in R],
)
X["diary_mmss_dot"] = table(
    "Date|km|Time",
    [[t.strftime("%Y-%m-%d"), f"{km}", f"{int(m)}.{round(m % 1 * 60) % 60:02d}"] for t, km, m in R],
)
X["weekly_totals"] = "Date,Day,Distance (km),Time\n" + "".join(
    f"{t:%d/%m/%Y},{t:%a},{km},{hms(m)}\n"
    + (
        "Week total,,%.1f,%s\n"
        % (
            sum(x[1] for x in R[max(0, i - 6) : i + 1]),
            hms(sum(x[2] for x in R[max(0, i - 6) : i + 1])),
        )
        if i % 7 == 6
        else ""
    )
    for i, (t, km, m) in enumerate(R)
)
X["mixed_no_sport"] = table(
    "date|km|minutes",
    [[t.strftime("%Y-%m-%d"), km, f"{m:.2f}"] for t, km, m in [*R, (W[0][0], 25.0, 60.0)]],
)
X["whole_row_quoted"] = "\n".join(
    '"' + line.replace('"', '""') + '"'
    for line in table(
        "Date|Distance (km)|Time", [[t.strftime("%Y-%m-%d"), km, hms(m)] for t, km, m in R]
    ).splitlines()
)
X["unquoted_decimal_comma"] = "date,km,minutes\n" + "".join(
    f"{t:%Y-%m-%d},{str(km).replace('.', ',')},{m:.1f}\n".replace(
        f"{m:.1f}", f"{m:.1f}".replace(".", ",")
    )
    for t, km, m in R
)
X["seconds_pace"] = table(
    "date|distance_km|pace_sec_per_km",
    [[t.strftime("%Y-%m-%d"), km, round(m * 60 / km)] for t, km, m in R],
)
X["hhmm_header"] = table(
    "Date|Distance (mi)|Time (hh:mm)",
    [
        [t.strftime("%Y-%m-%d"), f"{km / MILE:.2f}", f"{int(m // 60)}:{int(m % 60):02d}"]
        for t, km, m in R
    ],
)
X["excel_am"] = table(
    "Date|Distance (km)|Time",
    [
        [
            t.strftime("%m/%d/%Y"),
            km,
            (datetime(2000, 1, 1) + timedelta(minutes=m)).strftime("%-I:%M:%S %p"),
        ]
        for t, km, m in R
    ],
)
X["excel_mmss00"] = table(
    "Date|Distance (km)|Time",
    [[t.strftime("%Y-%m-%d"), km, f"{int(m)}:{round(m % 1 * 60) % 60:02d}:00"] for t, km, m in R],
)
X["slow_km_bare"] = table(
    "Date|Distance|Time", [[t.strftime("%Y-%m-%d"), km, hms(m * 1.3)] for t, km, m in R]
)
X["kinds"] = table(
    "Date|Type|Km|Time",
    [
        [t.strftime("%Y-%m-%d"), ["Easy", "Long", "Tempo", "Intervals"][i % 4], km, hms(m)]
        for i, (t, km, m) in enumerate(R)
    ],
)

# Shapes seen in people's own logs in public repositories.
X["own_upper_case_months"] = table(
    "date|workout_type|duration(HH:mm:ss)|distance(km)|notes",
    [[t.strftime("%d-%b-%Y").upper(), "run (treadmill)", hms(m), km, "x"] for t, km, m in R],
)
X["own_three_date_and_three_time_columns"] = table(
    "number|day|month|year|distance_km|hours|minutes|seconds",
    [
        [i, t.day, t.month, t.year, km, *(int(part) for part in hms(m).split(":"))]
        for i, (t, km, m) in enumerate(R)
    ],
)
X["own_date_by_another_name_and_pace"] = table(
    "DT|distance(Km)|heart|pace", [[t, km, 150, hms(m / km, False)] for t, km, m in R]
)
X["own_kinds_of_runs"] = table(
    "date|goal|type|distance_mi|duration",
    [
        [
            t.date(),
            "Half",
            ("Easy", "Long Run", "5K Race", "Hill Repeats")[i % 4],
            f"{km / MILE:.2f}",
            hms(m),
        ]
        for i, (t, km, m) in enumerate(R)
    ],
)
X["own_slip_of_the_pen"] = table(
    "Day of week|Date|distance|pace|time|pace",
    [
        [f"{t:%A}", f"{t:%-m/%-d/%Y}", f"{km / MILE:.2f}", "9:00", hms(m, False), "0:09:00"]
        for t, km, m in R
    ]
    + [["Sunday", "1/1/2024", "5", "9:00", "45.21", "0:09:00"]],
)
X["own_rest_days"] = table(
    "Date|Day of Week|Distance (mi)|Run Type|Moving Time",
    [
        row
        for t, km, m in R
        for row in (
            [f"{t:%-m/%-d/%y}", "01 Sun", f"{km / MILE:.2f}", "Easy", hms(m)],
            [f"{t + timedelta(days=1):%-m/%-d/%y}", "02 Mon", "0.00", "Rest", ""],
        )
    ]
    + [["", "", "", "FALSE", ""]],
)


def main() -> None:
    """Write all of them into a folder."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in X.items():
        content = text if isinstance(text, bytes) else text.encode()
        (folder / f"{name}.csv").write_bytes(content)


if __name__ == "__main__":
    main()
