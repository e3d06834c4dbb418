"""The vocabulary: titles, genres and tags are made of these words. Every title is invented."""

from __future__ import annotations


def _words(text: str, separator: str = " ") -> tuple[str, ...]:
    return tuple(text.split(separator))


ADJECTIVES = _words(
    "Last Quiet Crooked Silver Broken Hidden Burning Distant Golden Hollow Restless Forgotten Paper Midnight Second "
    "Scarlet Frozen Gentle Wicked Borrowed Velvet Reckless Silent Northern Perfect Secret Stolen Bitter Lonely Savage "
    "Glass Electric Wandering Sleepless Unlikely Crimson Painted Stubborn Empty Ordinary Black White Lucky Drowned"
)
NOUNS = _words(
    "Lighthouse River Harvest Garden Winter Letter Station Orchard Empire Shadow Violin Harbor Promise Detective "
    "Carnival Bridge Wolf Cathedral Summer Window Passenger Mirror Kingdom Soldier Dancer Island Engine Season Stranger "
    "Sparrow Verdict Horizon Circus Ransom Prophet Tide Waltz Gambler Colony Lantern Sky Machine Wedding Fever Thief "
    "Archive Balcony Comet Dozen Echo Frontier Ghost Hotel Inheritance Jury Kiss Labyrinth Motel Neighbor Oath Parade "
    "Quarry Reunion Storm Tailor Umbrella Visitor Witness Autumn Zoo"
)
PEOPLE = _words(
    "Widow Captain Emperor Baker Miller Doctor Sister Pilot Hangman Magician Butcher Teacher Fisherman Duchess Sailor "
    "Printer Shepherd Boxer Juggler Surgeon"
)
FIRST_NAMES = _words(
    "Ada Bruno Clara Dmitri Elsa Felix Greta Hugo Ines Jonas Katya Leo Mabel Nico Olive Pavel Quentin Rosa Silas Thea "
    "Ursula Victor Wanda Xavier Yara Zeno Arthur Bea Casper Della Emil Flora Gus Hattie Ivor June"
)
LAST_NAMES = _words(
    "Albright Barlow Castellan Dunmore Ekström Farrow Gallagher Hollis Ibsen Jarvis Kowal Lindqvist Marlowe Nakata "
    "Okafor Prescott Quill Rosetti Sandoval Thorne Underhill Varga Whitlock Yates Zielinski Ashby Bellamy Corrigan "
    "Delacroix Everhart Fontaine Grimaldi Hathaway Iverson Joffe Kessler"
)
PLACES = tuple(
    f"{first} {second}"
    for first in _words("Marrow Cedar Lost Saint Copper Willow Raven Salt Ember Juniper Stone Black")
    for second in _words("Creek Falls Harbor Hill Valley Point Bay Street")
)
SUBTITLES = _words(
    "The Beginning|The Reckoning|Second Chances|A Love Story|The Final Chapter|Homecoming|Uncut|The Long Way Home|"
    "After Dark|The Lost Reel|One More Summer",
    "|",
)
FOREIGN = _words(
    "Der letzte Zug|La casa de enfrente|Le jardin d'été|Il giorno più lungo|O último trem|Den långa vintern|"
    "Yoru no hashi|Ostatni świadek|Поздняя осень|Egy őszi nap|La señora de al lado|Die Straße ans Meer",
    "|",
)

GENRES = {
    "Action": 182, "Adventure": 126, "Animation": 61, "Children": 66, "Comedy": 375, "Crime": 120, "Documentary": 44,
    "Drama": 436, "Fantasy": 78, "Film-Noir": 9, "Horror": 98, "IMAX": 16, "Musical": 33, "Mystery": 57,
    "Romance": 160, "Sci-Fi": 98, "Thriller": 189, "War": 38, "Western": 17,
}  # fmt: skip
"""MovieLens' genres and how common each is."""

NO_GENRES = "(no genres listed)"

_COMMON_TAGS = _words(
    "atmospheric|twist ending|based on a book|dark comedy|time travel|sci-fi|classic|surreal|quirky|funny|boring|"
    "thought-provoking|visually appealing|psychology|disturbing|action|romance|dystopia|violence|cult film|"
    "great soundtrack|true story|mafia|space|aliens|superhero|nonlinear|stylized|revenge|satire|remake|sequel|"
    "coming of age|road movie|small town|courtroom|heist|friendship|family|music|dance|chess|boxing|baseball|robots|"
    "artificial intelligence|post-apocalyptic|zombies|vampires|ghosts|serial killer|amnesia|bittersweet|slow|"
    "predictable|overrated|underrated|own it|to see|in my queue|black and white|silent film|film noir|anime|"
    "stop motion|musical|politics|journalism|prison|school|college|teenagers|marriage|divorce|adultery|death|religion|"
    "philosophy|mathematics|computers|hackers|spies|cold war|world war ii|vietnam|western|train|ocean|island|desert|"
    "mountains|new york|london|paris|tokyo|christmas|animals|dogs|horses|cooking|wine|fashion|photography|art|3d",
    "|",
)
_MOODS = _words(
    "bleak tender slow-burning clever gritty dreamlike feel-good tense melancholy absurd epic intimate whimsical "
    "brutal hopeful eerie playful sentimental cynical lyrical frantic understated provocative nostalgic deadpan raw "
    "elegant chaotic haunting warm minimal lavish ironic suspenseful romantic offbeat"
)
_SUBJECTS = _words(
    "childhood|city life|friendships|family drama|road trip|investigation|war story|courtship|heist plot|coming home|"
    "dialogue|camera work|ending|opening|score|villain|heroine|ensemble|narration|mystery|adventure|workplace|summer|"
    "winter|border town|sea voyage|desert journey|small crimes|big business|first love|old age|rivalry|exile|"
    "reunion|disaster|time loop",
    "|",
)
PHRASES = (*_COMMON_TAGS, *(f"{mood} {subject}" for subject in _SUBJECTS for mood in _MOODS))
"""Tags in lower case, the common ones first; the genome takes its tags from the front."""

ODD_TAGS = (
    "007", "1984", "3", " time travel", "time travel ", "  slow burn  ", " ", "   ", '"so bad it\'s good"',
    'the "other" ending', "guns, lots of", "good|bad", "café society", "cafe\u0301 society", "film\u00a0noir",
    "zero\u200bwidth", "back\\slash", "funny  as  hell", "映画", "it's complicated...", "Ω", "100%", "-", "#1",
)  # fmt: skip
"""Tags as people really write them: numeric, blank, quoted, padded, with every separator."""
