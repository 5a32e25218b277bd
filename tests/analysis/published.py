"""Published tests with their counts and their authors' conclusions.

The counts are those of the publications, and every published p-value follows from them by a
two-proportion z-test. Trials for which it does not, because they used a survival model, are not
included.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Conclusion(Enum):
    """What the authors concluded about a variant, in the direction that they wanted."""

    BETTER = "better"
    WORSE = "worse"
    NOT_SIGNIFICANT = "not significant"


@dataclass(frozen=True)
class Group:
    """One arm of a published test.

    Attributes:
        name: The name of the variant.
        visitors: People who were assigned to it.
        conversions: Those of them who reached the goal.
        rate: The published rate in percent, as printed.
        p: The published p-value of the comparison with the control, as printed; "<0.05" or ">0.05"
            if only the significance is published, "" for the control and if nothing is.
        conclusion: What the authors concluded about the variant; None for the control.
        weight: The share of people it was designed to get, in any unit.
    """

    name: str
    visitors: int
    conversions: int
    rate: str
    p: str = ""
    conclusion: Conclusion | None = None
    weight: int = 1


@dataclass(frozen=True)
class PublishedTest:
    """One goal of a published test.

    Attributes:
        experiment: The name of the experiment.
        goal: The goal.
        source: Author, year and place of publication.
        control: The control.
        variants: The other groups.
        lift: The lift worth detecting that the authors chose, or would have.
        reason: Why it is this one.
        decrease: Whether fewer are better.
    """

    experiment: str
    goal: str
    source: str
    control: Group
    variants: tuple[Group, ...]
    lift: float
    reason: str
    decrease: bool = False

    @property
    def groups(self) -> tuple[Group, ...]:
        """The control and the variants."""
        return (self.control, *self.variants)


@dataclass(frozen=True)
class PublishedMismatch:
    """A split that its publication shows to be wrong.

    Attributes:
        source: Author, year and place of publication.
        visitors: The visitors of each variant; all were designed to get equally many.
        p: The published p-value, as printed.
    """

    source: str
    visitors: tuple[int, ...]
    p: str


_COOKIE_CATS = (
    "R. Bååth (2017), Mobile Games A/B Testing with Cookie Cats, DataCamp; data of Tactile"
    " Entertainment"
)
# The course says that the numbers were changed, but not the patterns.
_FREE_TRIAL = (
    "C. Grimes, C. Buckey, D. Tang (2014), A/B Testing, Udacity course ud257, final project: the 23"
    " days with enrollments"
)

TESTS = (
    PublishedTest(
        experiment="Cookie Cats",
        goal="7-day retention",
        source=_COOKIE_CATS,
        control=Group("gate_30", 44_700, 8_502, "19.02"),
        variants=(Group("gate_40", 45_489, 8_279, "18.20", "0.0016", Conclusion.WORSE),),
        lift=0.05,
        reason="One point of a retention of 19% is what analysts of this test plan for.",
    ),
    PublishedTest(
        experiment="Cookie Cats",
        goal="1-day retention",
        source=_COOKIE_CATS,
        control=Group("gate_30", 44_700, 20_034, "44.82"),
        variants=(Group("gate_40", 45_489, 20_119, "44.23", "0.074", Conclusion.NOT_SIGNIFICANT),),
        lift=0.05,
        reason="The same as for the 7-day retention.",
    ),
    PublishedTest(
        experiment="Free trial screener",
        goal="gross conversion",
        source=_FREE_TRIAL,
        control=Group("control", 17_293, 3_785, "21.89"),
        variants=(Group("experiment", 17_260, 3_423, "19.83", "<0.05", Conclusion.BETTER),),
        lift=0.05,
        reason="The course requires 1 point of a rate of 20.6%.",
        decrease=True,  # students without time should not enroll
    ),
    PublishedTest(
        experiment="Free trial screener",
        goal="net conversion",
        source=_FREE_TRIAL,
        control=Group("control", 17_293, 2_033, "11.76"),
        variants=(
            Group("experiment", 17_260, 1_945, "11.27", ">0.05", Conclusion.NOT_SIGNIFICANT),
        ),
        lift=0.07,
        reason="The course requires 0.75 points of a rate of 10.9%.",
    ),
    PublishedTest(
        experiment="Landing page",
        goal="converted",
        source="Udacity (2017), Analyze A/B Test Results, project of the Data Analyst Nanodegree",
        control=Group("old_page", 145_274, 17_489, "12.04"),
        variants=(
            Group("new_page", 145_310, 17_264, "11.88", "0.190", Conclusion.NOT_SIGNIFICANT),
        ),
        lift=0.05,
        reason="Half a point of a rate of 12% pays for a new page.",
    ),
    PublishedTest(
        experiment="Splash page of the Obama campaign",
        goal="sign-up",
        source=(
            "D. Siroker (2010), How Obama raised $60 million by running a simple experiment,"
            " Optimizely"
        ),
        # Published are the rates, the lift of 40.6% and that 24 pages shared 310,382 visitors. No
        # other counts fit.
        control=Group("original", 12_933, 1_068, "8.26"),
        variants=(Group("family, learn more", 12_933, 1_502, "11.6", "", Conclusion.BETTER),),
        lift=0.1,
        reason="A tenth more addresses would have been worth a change of an image and a button.",
    ),
    PublishedTest(
        experiment="Social pressure and voter turnout",
        goal="voted",
        source=(
            "A. Gerber, D. Green, C. Larimer (2008), Social pressure and voter turnout, American"
            " Political Science Review 102(1)"
        ),
        control=Group("control", 191_243, 56_730, "29.7", weight=5),
        variants=(
            Group("civic duty", 38_218, 12_021, "31.5", "<0.001", Conclusion.BETTER),
            Group("hawthorne", 38_204, 12_316, "32.2", "<0.001", Conclusion.BETTER),
            Group("self", 38_218, 13_191, "34.5", "<0.001", Conclusion.BETTER),
            Group("neighbors", 38_201, 14_438, "37.8", "<0.001", Conclusion.BETTER),
        ),
        lift=0.05,
        reason="One or two points of a turnout of 30% are worth a mailing.",
    ),
    PublishedTest(
        experiment="Physicians' Health Study",
        goal="myocardial infarction",
        source=(
            "Steering Committee of the Physicians' Health Study (1988), Preliminary report:"
            " findings from the aspirin component, New England Journal of Medicine 318"
        ),
        control=Group("placebo", 11_034, 189, "1.71"),
        variants=(Group("aspirin", 11_037, 104, "0.94", "<0.00001", Conclusion.BETTER),),
        lift=0.2,
        reason="A fifth fewer infarctions outweigh the side effects of aspirin.",
        decrease=True,
    ),
    PublishedTest(
        experiment="Polio vaccine field trial",
        goal="paralytic polio",
        source=(
            "T. Francis et al. (1955), An evaluation of the 1954 poliomyelitis vaccine trials,"
            " University of Michigan: the areas with a placebo"
        ),
        control=Group("placebo", 201_229, 115, "0.057"),
        variants=(Group("vaccine", 200_745, 33, "0.016", "", Conclusion.BETTER),),
        lift=0.5,
        reason="So many children are needed if the vaccine prevents half of the cases.",
        decrease=True,
    ),
    PublishedTest(
        experiment="ISIS-2",
        goal="vascular death",
        source=(
            "ISIS-2 Collaborative Group (1988), Randomised trial of intravenous streptokinase, oral"
            " aspirin, both, or neither, Lancet 332"
        ),
        control=Group("placebo", 8_600, 1_016, "11.8"),
        variants=(Group("aspirin", 8_587, 804, "9.4", "<0.00001", Conclusion.BETTER),),
        lift=0.2,
        reason="A fifth fewer deaths matter in so common a disease.",
        decrease=True,
    ),
    PublishedTest(
        experiment="GISSI",
        goal="death within 21 days",
        source=(
            "GISSI (1986), Effectiveness of intravenous thrombolytic treatment in acute myocardial"
            " infarction, Lancet 327"
        ),
        control=Group("usual treatment", 5_852, 758, "13"),
        variants=(Group("streptokinase", 5_860, 628, "10.7", "0.0002", Conclusion.BETTER),),
        lift=0.2,
        reason="A fifth fewer deaths outweigh the bleedings.",
        decrease=True,
    ),
    PublishedTest(
        experiment="ISIS-4",
        goal="death within 5 weeks",
        source=(
            "ISIS-4 Collaborative Group (1995), A randomised factorial trial assessing early oral"
            " captopril, oral mononitrate, and intravenous magnesium sulphate, Lancet 345"
        ),
        control=Group("no magnesium", 29_039, 2_103, "7.24"),
        variants=(Group("magnesium", 29_011, 2_216, "7.64", "0.07", Conclusion.NOT_SIGNIFICANT),),
        lift=0.1,
        reason="A tenth fewer deaths matter in so common a disease.",
        decrease=True,
    ),
    PublishedTest(
        experiment="Heart Protection Study",
        goal="death",
        source=(
            "Heart Protection Study Collaborative Group (2002), Cholesterol lowering with"
            " simvastatin in 20,536 high-risk individuals, Lancet 360"
        ),
        control=Group("placebo", 10_267, 1_507, "14.7"),
        variants=(Group("simvastatin", 10_269, 1_328, "12.9", "0.0003", Conclusion.BETTER),),
        lift=0.1,
        reason="A tenth fewer deaths matter in so common a disease.",
        decrease=True,
    ),
)

MISMATCH = PublishedMismatch(
    source=(
        "R. Kohavi, D. Tang, Y. Xu (2020), Trustworthy Online Controlled Experiments, chapter 21"
    ),
    visitors=(821_588, 815_482),
    p="1.8E-6",
)
