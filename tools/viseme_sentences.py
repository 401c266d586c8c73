"""What the synthetic voices say: sentences written for this project, and words that do not exist.

Real words give natural sequences of sounds; the invented ones give every consonant beside every vowel, and plenty of
m, b and p, which ordinary text is short of.
"""

import random

ENGLISH = "en"

_PATTERNS = (
    "{who} should have {done} the {adj} {thing} before {time}.",
    "If the {thing} is {adj}, {who} will {act} another {thing}.",
    "How many {adj} {thing}s did {who} {act} in {place}?",
    "{who} and {who} {act} a {thing} by the {place} every {time}.",
    "Nobody in the {place} had {done} such a {adj} {thing}.",
    "Perhaps the {thing} from {place} was too {adj} for {who}.",
    "Stop! {who} must not {act} that {thing}.",
    "Between the {place} and the {place}, {who} {done} {count} {thing}s.",
    "{count} people, {count} {thing}s, one {adj} {place}.",
    "Yes, of course, {who} will {act} it this {time}.",
    "Whose {thing} is this, and why is it so {adj}?",
    "Apart from the {thing}, everything was {adj}, wasn't it?",
    "It may be {adj}, but {who} would rather {act} the {thing}.",
    "Thank you for the {thing}; my {thing} is {adj} as well.",
)
_WORDS = {
    "who": "my brother|Abby|the farmer|Philip|your aunt|Beth|Mister Webb|we|the children|Pamela|they|Ivo|Maeve|Hugo|Sue"
    "|a woman|old Tom|Charlotte|the whole team|Umberto",
    "act": "bake|fetch|polish|wrap|choose|move|shave|bury|measure|improve|whisper|weigh|jump over|paint|fix|forgive"
    "|mop|comb|observe|throw away|bring|use|leave",
    "done": "baked|fetched|wrapped|chosen|moved|swept|buried|measured|praised|weighed|broken|painted|found|mopped"
    "|thrown|washed|numbered|shown|folded|left",
    "adj": "bitter|purple|smooth|famous|round|empty|weak|charming|huge|public|simple|rough|warm|awful|yellow|cheap"
    "|precious|brave|shiny|plump|feeble|odd|wide|muddy|thick|low",
    "thing": "apple pie|bubble|violin|mug|blanket|poem|wagon|shovel|umbrella|map|jam pot|oven|voice|photograph|bulb"
    "|pump|feather|mirror|bee|chair|watch|loaf|boomerang|thumb|garage|basket|fence|pearl",
    "place": "village|harbour|museum|bathroom|forest|opera|workshop|Bombay|mountain hut|pub|waterfall|office|barn"
    "|Rome|shop|valley|cafe|Oxford",
    "time": "morning|evening|Monday|summer|March|breakfast|winter|new year|afternoon|half past five|noon",
    "count": "two|five|seven|eleven|twelve|fifty|a hundred|eighty one|three|four",
}
_OTHER = {
    "de": (
        "Am Abend kommt mein Bruder mit dem Bus.|Habt ihr schon über den Umzug gesprochen?"
        "|Wir brauchen mehr Platz für die Bücher."
        "|Im Februar war der Weg voller Schnee.|Opa pflückt am Bach ein paar Blumen."
        "|Das schöne Boot fährt früh am Morgen ab."
        "|Vielen Dank, aber ich möchte lieber zu Fuß gehen.|Zum Frühstück gibt es Butter, Brot und Pflaumenmus."
    ),
    "fr": (
        "Mon frère prépare un bon repas pour demain.|Où as-tu mis le beau chapeau rouge?"
        "|Nous vivons au bord de la mer depuis peu."
        "|Il pleut beaucoup, prends un parapluie.|Ma voisine joue du piano chaque jeudi.|Vous avez vu mon vieux vélo?"
        "|On boit un peu d'eau avant de partir.|Le feu brûle doucement dans la chambre."
    ),
    "es": (
        "Mi abuela prepara pan por la mañana.|¿Cuándo vuelve tu hermano de Bolivia?|El perro blanco corre por el campo."
        "|Me parece muy bueno este problema.|Vamos a beber un poco de vino.|La luna brilla encima del pueblo."
        "|Hay nueve libros sobre la mesa.|Nunca he visto un puente tan ancho."
    ),
    "it": (
        "Mio fratello compra il pane ogni mattina.|Dove hai messo il libro verde?|Abbiamo bevuto un buon caffè al bar."
        "|La pioggia cade piano sopra il tetto.|Domani proviamo la nuova bicicletta."
        "|Il gatto bianco dorme sopra il divano."
        "|Che bella giornata per una passeggiata!|Vorrei parlare con il signor Bruni."
    ),
    "pt": (
        "Minha avó faz um bolo para o bebê.|Onde fica a ponte velha?|O vento empurra o barco para longe."
        "|Amanhã vamos comprar pão fresco.|Ele nunca bebe café com leite.|A lua brilha por cima do mar."
        "|Você viu meu chapéu branco?|Nove pessoas moram nesta rua."
    ),
    "nl": (
        "Mijn broer koopt brood op de markt.|Wie heeft de blauwe fiets gepakt?|Wij wonen vlak bij een brede rivier."
        "|Opa plukt bloemen voor de buurvrouw.|Het regent buiten, pak een paraplu.|Vanmiddag bakken we pannenkoeken."
        "|De maan schijnt boven het water.|Hoeveel mensen komen er vrijdag?"
    ),
    "pl": (
        "Mój brat kupuje świeży chleb.|Gdzie jest mały biały kubek?|Babcia piecze ciasto z jabłkami."
        "|Wieczorem pójdziemy nad wodę.|Pada śnieg i wieje mocny wiatr.|Czy możesz podać mi mapę?"
        "|Nad polem lecą białe ptaki.|W piątek przyjedzie wujek Bob."
    ),
    "tr": (
        "Babam sabah ekmek alır.|Mavi bisikleti kim buldu?|Bu akşam bize büyük bir misafir gelecek."
        "|Köprünün altında bir vapur var.|Annem bahçede çiçek topluyor.|Üzüm ve peynir çok lezzetli."
        "|Pencereden ay görünüyor.|Yarın beraber yüzmeye gidelim."
    ),
}
SENTENCES = {language: tuple(text.split("|")) for language, text in _OTHER.items()}
_ONSETS = (
    "b", "p", "m", "f", "v", "w", "t", "d", "n", "s", "z", "l", "r", "k", "g", "h", "y", "sh", "ch", "th", "j", "bl",
    "pr", "fl", "sm", "sp", "st", "gr", "kw",
)  # fmt: skip
_NUCLEI = ("a", "e", "i", "o", "u", "ah", "ee", "oo", "ai", "oa", "ow", "ay", "er")
_CODAS = ("", "", "", "m", "b", "p", "f", "n", "t", "s", "l", "k", "v", "mp", "sh")


def _from_pattern(random_: random.Random) -> str:
    text = random_.choice(_PATTERNS)
    for name, words in _WORDS.items():
        while "{" + name + "}" in text:
            text = text.replace("{" + name + "}", random_.choice(words.split("|")), 1)
    return text[0].upper() + text[1:]


def _invented(random_: random.Random) -> str:
    """Two to five words that no dictionary holds; half of the syllables begin with lips."""
    words = []
    for _ in range(random_.randint(2, 5)):
        syllables = [
            (random_.choice("bpmfvw") if random_.random() < 0.5 else random_.choice(_ONSETS))
            + random_.choice(_NUCLEI)
            + random_.choice(_CODAS)
            for _ in range(random_.randint(1, 3))
        ]
        words.append("".join(syllables))
        if random_.random() < 0.2:
            words[-1] += ","
    return " ".join(words).rstrip(",").capitalize() + "."


def _shuffled(sentences: tuple[str, ...], random_: random.Random) -> str:
    words = " ".join(random_.sample(sentences, 2)).translate(str.maketrans("", "", ".,!?¿¡")).split()
    random_.shuffle(words)
    return " ".join(words[: random_.randint(5, 10)]).capitalize() + "."


def sentence(random_: random.Random, language: str = ENGLISH) -> str:
    """One thing to say in "en" or a language of SENTENCES; the same generator state gives the same text."""
    draw = random_.random()
    if draw < 0.2:
        return _invented(random_)
    if language == ENGLISH:
        return _from_pattern(random_) if draw < 0.85 else _from_pattern(random_) + " " + _from_pattern(random_)
    if draw < 0.65:
        return random_.choice(SENTENCES[language])
    return _shuffled(SENTENCES[language], random_)
