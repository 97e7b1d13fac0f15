using System.Runtime.CompilerServices;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Protocol.Tests;

public sealed class TaskOrderTests
{
    /// <summary>A task's log begins with them.</summary>
    [Fact]
    public void Each_order_has_words_of_its_own_for_people()
    {
        TaskOrder[] orders =
        [
            .. typeof(TaskOrder).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(TaskOrder)) && !type.IsAbstract)
                .Select(type => (TaskOrder)RuntimeHelpers.GetUninitializedObject(type)),
        ];
        Assert.True(orders.Length > 10);
        Assert.Equal(orders.Length, orders.Select(order => order.Words()).Distinct().Count());
        Assert.All(orders, order => Assert.Matches(@"\A[a-z][A-Za-z ]+\z", order.Words()));
    }
}
