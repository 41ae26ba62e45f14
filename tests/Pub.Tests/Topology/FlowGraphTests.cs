using CsCheck;
using Pub.Topology;

namespace Pub.Tests.Topology;

public sealed class FlowGraphTests
{
    /// <summary>Flows among eight topics, at random, cycles included.</summary>
    private static readonly Gen<(int From, int Into)[]> Flows = Gen.Select(Gen.Int[0, 7], Gen.Int[0, 7]).Where(flow => flow.Item1 != flow.Item2).Array[0, 20];

    [Fact]
    public void View_AnyFlows_IsTheSetOfAllThatLeadsThere() =>
        Gen.Select(Flows, Gen.Int[0, 7].Array[1, 3]).Sample((flows, declared) =>
        {
            var view = Graph(flows).View(Record(declared));
            var expected = new SortedSet<string>(declared.Select(Name), StringComparer.Ordinal);
            while (flows.Any(flow => expected.Contains(Name(flow.Into)) && expected.Add(Name(flow.From))))
            {
            }

            Assert.Equal(expected, view.Sources.Select(source => source.Topic.ToString()));
        });

    [Fact]
    public void View_AnyFlows_StartsAtTheEarliestThatLeadsThere() =>
        Gen.Select(Flows, Gen.Int[0, 7]).Sample((flows, declared) =>
        {
            var view = Graph(flows).View(Record([declared]));
            foreach (var source in view.Sources.Where(source => source.Topic.ToString() != Name(declared)))
            {
                var read = view.Sources.Select(other => other.Topic.ToString()).ToHashSet();
                var earliest = flows
                    .Select((flow, i) => (flow, i))
                    .Where(pair => Name(pair.flow.From) == source.Topic.ToString() && read.Contains(Name(pair.flow.Into)))
                    .Min(pair => StartOf(flows, pair.flow));
                Assert.Equal(earliest, source.StartOf(0).Offset.Value);
            }
        });

    [Fact]
    public void ReadBy_SomeDeclaredTopics_LeavesWhatOnlyTheOthersLeadTo()
    {
        var view = Graph([(2, 0), (3, 1), (4, 0), (4, 1)]).View(Record([0, 1]));

        var part = view.ReadBy([TopicName.Parse(Name(0))]);

        Assert.Equal([Name(0), Name(2), Name(4)], part.Sources.Select(source => source.Topic.ToString()));
    }

    [Fact]
    public void View_StartInTheRecord_CountsBeforeTheFlows()
    {
        var record = Record([0]).With([new SubscribedTopic { Topic = Name(1), Starts = [[77, 0]], ByFlow = true }]);

        var view = Graph([(1, 0)]).View(record);

        Assert.Equal(77, view.Sources.Single(source => source.Topic.ToString() == Name(1)).StartOf(0).Offset.Value);
    }

    [Fact]
    public void StartOf_ShardAddedLater_IsItsFirstEntry() =>
        Assert.Equal(Position.Beginning, new SubscriptionSource(TopicName.Topic("a"), [Position.StartOf(new Offset(9))], []).StartOf(1));

    private static string Name(int topic) => $"t:{(char)('a' + topic)}";

    /// <summary>The first record of a flow counts; it begins at 100 plus its place.</summary>
    private static long StartOf((int From, int Into)[] flows, (int From, int Into) flow) => 100 + Array.IndexOf(flows, flow);

    private static FlowGraph Graph((int From, int Into)[] flows)
    {
        var documents = new Dictionary<string, TopicTopologyDocument>();
        foreach (var flow in flows)
        {
            var name = Name(flow.Into);
            var document = documents.GetValueOrDefault(name) ?? TopicTopologyDocument.Empty(TopicName.Parse(name));
            documents[name] = document.WithFrom(new TopicFlow { Topic = Name(flow.From), Starts = [[StartOf(flows, flow), 0]] }) ?? document;
        }

        return new FlowGraph(documents);
    }

    private static SubscriptionDocument Record(int[] declared) => new SubscriptionDocument { Name = "s:reader", Incarnation = "1", Leases = 16, Topics = [] }
        .With(declared.Distinct().Select(topic => new SubscribedTopic { Topic = Name(topic) }));
}
